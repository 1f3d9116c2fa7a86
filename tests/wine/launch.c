/* Starts a Windows program with variables that Wine sets itself for what is started from Unix (USERPROFILE, TEMP):
 *
 *   launch NAME=VALUE... -- PROGRAM ARGUMENTS...
 *
 * Where the launcher is killed, the program ends with it, and whatever that has started: a child that it had no time
 * to resume would have its output open for ever. Where the program ends, what it leaves in the background goes on.
 */
#include <windows.h>
#include <stdio.h>
#include <wchar.h>

int wmain(int argc, wchar_t **argv) {
  int i = 1;
  for (; i < argc && wcscmp(argv[i], L"--") != 0; i++) {
    wchar_t *equals = wcschr(argv[i], L'=');
    if (!equals) return 2;
    *equals = 0;
    SetEnvironmentVariableW(argv[i], equals + 1);
  }
  /* The rest of the command line as it is: nothing has to be quoted anew. */
  wchar_t *command = wcsstr(GetCommandLineW(), L" -- ");
  if (!command) return 2;

  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0}, none = {0};
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
  HANDLE job = CreateJobObjectW(NULL, NULL);
  SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);

  STARTUPINFOW startup = {sizeof startup};
  startup.dwFlags = STARTF_USESTDHANDLES;
  startup.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
  startup.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
  startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
  PROCESS_INFORMATION process;
  if (!CreateProcessW(NULL, command + 4, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup, &process)) {
    fprintf(stderr, "launch: error %lu\n", GetLastError());
    return 127;
  }
  AssignProcessToJobObject(job, process.hProcess);
  ResumeThread(process.hThread);
  WaitForSingleObject(process.hProcess, INFINITE);
  DWORD code;
  GetExitCodeProcess(process.hProcess, &code);
  SetInformationJobObject(job, JobObjectExtendedLimitInformation, &none, sizeof none);
  return code;
}
