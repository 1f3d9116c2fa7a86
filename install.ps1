<#
.SYNOPSIS
Installs ccsync from its releases, for one user, without administrator's rights.

.DESCRIPTION
  irm https://github.com/claude-session-sync/ccsync/releases/latest/download/install.ps1 | iex

With options, save it first: .\install.ps1 -Version 1.2.3

CCSYNC_BASE_URL names another place than GitHub to download releases from.
#>
param(
    # This version; by default the latest.
    [string]$Version = '',
    # Where programs go.
    [string]$To = (Join-Path $env:LOCALAPPDATA 'Programs\ccsync'),
    # Remove ccsync; sessions and configuration stay.
    [switch]$Uninstall
)

$ErrorActionPreference = 'Stop'
# The progress bar of Windows PowerShell makes downloads slow.
$ProgressPreference = 'SilentlyContinue'

$program = Join-Path $To 'ccsync.exe'
# A link would need administrator's rights.
$alias = Join-Path $To 'claude-session-sync.cmd'

function Remove-Ccsync {
    if (-not (Test-Path $program)) { throw "cannot uninstall ccsync: there is no $program" }
    # A hook or a schedule would go on calling what is gone. What these say on standard error is no reason to stop.
    $ErrorActionPreference = 'Continue'
    & $program daemon --stop *> $null
    & $program daemon uninstall *> $null
    & $program setup-hooks --remove *> $null
    Remove-Item -Force $program, $alias, "$program.*old" -ErrorAction SilentlyContinue
    if (-not (Get-ChildItem -Force $To)) { Remove-Item $To }
    Set-UserPath -Without
    Write-Host "removed ccsync, its hooks and its schedule; what it remembers stays in ~\.claude-session-sync"
}

function Set-UserPath {
    param([switch]$Without)
    $before = [Environment]::GetEnvironmentVariable('Path', 'User')
    $others = @("$before".Split(';') | Where-Object { $_ -and $_ -ne $To })
    $after = $others -join ';'
    if (-not $Without) { $after = (@($others) + $To) -join ';' }
    if ($after -eq $before) { return }
    [Environment]::SetEnvironmentVariable('Path', $after, 'User')
    if (-not $Without) {
        $env:Path = "$env:Path;$To"
        Write-Host "$To is on the PATH of programs that are started from now on"
    }
}

function Install-Ccsync {
    if ($env:PROCESSOR_ARCHITECTURE -eq 'x86') { throw 'cannot install ccsync: there is none for 32 bits' }
    # On ARM, Windows runs it by translation.
    $target = 'x86_64-pc-windows-msvc'
    $base = $env:CCSYNC_BASE_URL
    if (-not $base) { $base = 'https://github.com/claude-session-sync/ccsync/releases' }
    $releases = "$base/latest/download"
    if ($Version) { $releases = "$base/download/v$($Version -replace '^v', '')" }

    New-Item -ItemType Directory -Force $To | Out-Null
    $work = Join-Path $To ".ccsync-install-$PID"
    New-Item -ItemType Directory -Force $work | Out-Null
    try {
        $sums = Join-Path $work 'SHA256SUMS'
        Invoke-WebRequest -UseBasicParsing "$releases/SHA256SUMS" -OutFile $sums
        # The one line for this target names version and checksum of the archive.
        $line = Get-Content $sums | Where-Object { $_ -match "^[0-9a-f]{64} [ *]ccsync-[0-9].*-$target\.zip$" }
        if (-not $line) { throw "cannot install ccsync: the release has none for $target" }
        $expected, $archive = $line -split ' [ *]', 2
        Write-Host "downloading $archive"
        $zip = Join-Path $work $archive
        Invoke-WebRequest -UseBasicParsing "$releases/$archive" -OutFile $zip
        if ((Get-FileHash -Algorithm SHA256 $zip).Hash -ne $expected) {
            throw "cannot use ${archive}: its checksum is not the one of the release; nothing was changed"
        }
        Expand-Archive $zip -DestinationPath $work
        $next = Join-Path $work (Join-Path ($archive -replace '\.zip$', '') 'ccsync.exe')
        $installed = & $next --version
        if ($LASTEXITCODE -ne 0) { throw "cannot use ${archive}: it does not start here; nothing was changed" }
        # The file of a running program can be renamed, not replaced; a later run removes it.
        if (Test-Path $program) { Move-Item $program "$program.$PID.old" }
        Move-Item -Force $next $program
        Set-Content -Encoding Ascii $alias '@"%~dp0ccsync.exe" %*'
        Write-Host "installed ccsync $installed into $To"
    } finally {
        Remove-Item -Recurse -Force $work
    }
    Set-UserPath
    Write-Host 'next: ccsync init'
}

if ($Uninstall) { Remove-Ccsync } else { Install-Ccsync }
