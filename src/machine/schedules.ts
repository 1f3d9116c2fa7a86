/**
 * What the schedulers of the systems want to be told: contents of files, and nothing else.
 *
 * @module
 */

/** A program that a scheduler is to run. */
export interface Job {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** Variables that it needs beside those of the scheduler. */
  readonly variables: Readonly<Record<string, string>>;
}

/** The name of the job at every scheduler. */
export const JOB_NAME = "ccsync";

/** Returns a unit of systemd for one user: the job runs on and on, and is started again where it fails. */
export function systemdUnit({ command, variables }: Job): string {
  const environment = Object.entries(variables).map(([name, value]) =>
    `Environment=${systemdQuoted(`${name}=${value}`)}`
  );
  // Unlike in Environment=, a dollar sign would begin a variable.
  const line = command.map((word) => systemdQuoted(word).replaceAll("$", "$$$$")).join(" ");
  return `[Unit]
Description=Keeps Claude Code sessions in step with the hub (ccsync)
Documentation=man:systemd.service(5)

[Service]
Type=simple
ExecStart=${line}
${environment.join("\n")}
Restart=on-failure
RestartSec=30
TimeoutStopSec=60
Nice=5

[Install]
WantedBy=default.target
`;
}

function systemdQuoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%")}"`;
}

/** Returns an agent of launchd: the job runs on and on from the log-in on. */
export function launchdAgent({ command, variables }: Job): string {
  const words = command.map((word) => `    <string>${xmlText(word)}</string>`);
  const pairs = Object.entries(variables).flatMap(([name, value]) => [
    `    <key>${xmlText(name)}</key>`,
    `    <string>${xmlText(value)}</string>`,
  ]);
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${JOB_NAME}</string>
  <key>ProgramArguments</key>
  <array>
${words.join("\n")}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
${pairs.join("\n")}
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ProcessType</key>
  <string>Background</string>
</dict>
</plist>
`;
}

/** Returns a task of Windows' Task Scheduler, in UTF-16 as that wants it: the job starts at every log-on. */
export function windowsTask({ command: [program = "", ...args] }: Job): string {
  const words = args.map((word) => (/[\s"]/.test(word) ? `"${word}"` : word)).join(" ");
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Keeps Claude Code sessions in step with the hub (ccsync)</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Hidden>true</Hidden>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${xmlText(program)}</Command>
      <Arguments>${xmlText(words)}</Arguments>
    </Exec>
  </Actions>
</Task>
`;
}

function xmlText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** How ccsync's line of a crontab ends. */
const CRON_MARK = "# ccsync";
const MINUTES_OF_HOUR = 60;

/** Returns a line of a crontab that runs the job at intervals, to the minute. */
export function cronLine({ command, variables }: Job, intervalSeconds: number): string {
  const assignments = Object.entries(variables).map(([name, value]) =>
    `${name}=${shQuoted(value)}`
  );
  const words = [...assignments, ...command.map(shQuoted)].join(" ");
  // A percent sign would end the line.
  const line = `${words} >/dev/null 2>&1`.replaceAll("%", "\\%");
  return `${cronTimes(intervalSeconds)} ${line} ${CRON_MARK}`;
}

/** Cron counts from the full hour on: an interval that does not divide it would end in a shorter one. */
function cronTimes(intervalSeconds: number): string {
  const minutes = Math.max(1, Math.round(intervalSeconds / MINUTES_OF_HOUR));
  if (minutes < MINUTES_OF_HOUR) return minutes === 1 ? "* * * * *" : `*/${minutes} * * * *`;
  const hours = Math.min(23, Math.round(minutes / MINUTES_OF_HOUR));
  return hours === 1 ? "0 * * * *" : `0 */${hours} * * *`;
}

/** Returns a crontab with the line in the place of an earlier one, or without any. */
export function changedCrontab(crontab: string, line: string | undefined): string {
  const lines = crontab.split("\n").filter((each) => !each.endsWith(CRON_MARK));
  while (lines.at(-1) === "") lines.pop();
  const all = [...lines, ...line === undefined ? [] : [line]];
  return all.length === 0 ? "" : all.join("\n") + "\n";
}

/** Returns a word as a POSIX shell reads it. */
export function shQuoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
