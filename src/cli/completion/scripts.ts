/**
 * The scripts that make shells complete ccsync's command line. None knows a command: all ask `ccsync complete`,
 * so that they fit every version, and need not be made anew with it.
 *
 * @module
 */

import type { Shell } from "./shells.ts";

/** What the program is called. */
const NAMES = ["ccsync", "claude-session-sync"] as const;

// Works with bash 3.2, which macOS has: no mapfile, no compopt. Bash takes a word apart at "=" and ":", and wants
// only the last part back.
const BASH = `# Completion of ccsync for bash.

_ccsync() {
  local IFS=$' \\t\\n' rest="\${COMP_LINE:0:COMP_POINT}" word="" part="" i
  local -a before=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    part="\${COMP_WORDS[i]}"
    if [[ $i -eq 0 || $rest == [[:space:]]* ]]; then
      if ((i > 1)); then before+=("$word"); fi
      word=""
      rest="\${rest#"\${rest%%[![:space:]]*}"}"
    fi
    if [[ $part == "$rest"* ]]; then part=$rest; fi
    rest="\${rest#"$part"}"
    word+=$part
  done
  case $part in "=" | ":") part="" ;; esac

  local line tab=$'\\t' kept="\${word%"$part"}"
  local -a values=() shown=()
  while IFS= read -r line; do
    case $line in
      :directories* | :files*)
        # Bash itself knows best how paths are quoted.
        if [[ $line == :d* ]]; then
          compopt -o dirnames 2>/dev/null || COMPREPLY=($(compgen -d -- "$part"))
        else
          compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "$part"))
        fi
        return
        ;;
    esac
    values+=("\${line%%"$tab"*}")
    shown+=("\${line//"$tab"/  }")
  done < <(command ccsync complete "--current=$word" -- \${before[@]+"\${before[@]}"} 2>/dev/null)

  COMPREPLY=()
  if ((\${#values[@]} > 1)) && [[ \${COMP_TYPE:-} == 63 ]]; then
    # Bash only shows them now: with what they mean.
    COMPREPLY=("\${shown[@]}")
    compopt -o nosort 2>/dev/null
    return
  fi
  for line in \${values[@]+"\${values[@]}"}; do COMPREPLY+=("\${line#"$kept"}"); done
  if [[ \${#values[@]} -eq 1 && \${values[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
}

complete -F _ccsync ${NAMES.join(" ")}
`;

const ZSH = `#compdef ${NAMES.join(" ")}
# Completion of ccsync for zsh.

_ccsync() {
  local line prefix
  local -a values names
  local current="\${(Q)PREFIX}"
  while IFS= read -r line; do
    case $line in
      :directories*|:files*)
        prefix="\${line#:* }"
        compset -p \${#prefix}
        if [[ $line == :d* ]]; then _files -/; else _files; fi
        return
        ;;
    esac
    line="\${line//:/\\\\:}"
    line="\${line/$'\\t'/:}"
    if [[ "\${line%%:*}" == *= ]]; then names+=("$line"); else values+=("$line"); fi
  done < <(command ccsync complete "--current=$current" -- "\${(@Q)words[2,CURRENT-1]}" 2>/dev/null)
  if (( \${#names} )); then _describe -V 'placeholder' names -S ''; fi
  if (( \${#values} )); then _describe -V 'ccsync' values; fi
}

# Loaded by name from $fpath, or sourced.
if [[ "\${funcstack[1]}" == _ccsync ]]; then
  _ccsync "$@"
elif (( $+functions[compdef] )); then
  compdef _ccsync ${NAMES.join(" ")}
else
  print -u2 'ccsync: completions come after this in ~/.zshrc: autoload -U compinit; compinit'
fi
`;

const FISH = `# Completion of ccsync for fish.

function __ccsync_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in (command ccsync complete "--current=$current" -- $words[2..-1] 2>/dev/null)
        switch $line
            case ':directories*' ':files*'
                set -l prefix (string replace -r '^:\\S+ ' '' -- $line)
                set -l path (string sub -s (math (string length -- $prefix) + 1) -- $current)
                if string match -q ':d*' -- $line
                    string replace -r '^' -- $prefix (__fish_complete_directories $path '')
                else
                    __fish_complete_path $path
                end
            case '*'
                echo -- $line
        end
    end
end

${NAMES.map((name) => `complete -c ${name} -f -k -a '(__ccsync_complete)'`).join("\n")}
`;

// Windows PowerShell 5.1 drops empty arguments, and reads what programs print in the console's code page.
const POWERSHELL = `# Completion of ccsync for PowerShell.

Register-ArgumentCompleter -Native -CommandName @(${
  NAMES.map((name) => `'${name}'`).join(", ")
}) -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $before = @($commandAst.CommandElements |
        Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object {
            if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value }
            else { $_.Extent.Text }
        })
    $ErrorActionPreference = 'Continue'
    $encoding = [Console]::OutputEncoding
    try {
        [Console]::OutputEncoding = [System.Text.Encoding]::UTF8
        $lines = @(& ccsync complete "--current=$wordToComplete" '--' @before 2>$null)
    } finally {
        [Console]::OutputEncoding = $encoding
    }
    foreach ($line in $lines) {
        # PowerShell completes paths itself where nothing else is proposed.
        if ($line.StartsWith(':')) { return }
        $value, $description = $line -split "\`t", 2
        if (-not $description) { $description = $value }
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $description)
    }
}
`;

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: BASH,
  zsh: ZSH,
  fish: FISH,
  powershell: POWERSHELL,
};

/** Returns the script that makes a shell complete ccsync's command line. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}

/** What the scripts are called where packages put them, by what shells look for. */
export const SCRIPT_FILES: Readonly<Record<Shell, string>> = {
  bash: "ccsync.bash",
  zsh: "_ccsync",
  fish: "ccsync.fish",
  powershell: "ccsync.ps1",
};
