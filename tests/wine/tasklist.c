/* What `tasklist /FO CSV /NH` prints on Windows; Wine 8's prints nothing. */
#include <windows.h>
#include <tlhelp32.h>
#include <stdio.h>

int wmain(void) {
  PROCESSENTRY32 process = {sizeof process};
  HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
  for (BOOL more = Process32First(all, &process); more; more = Process32Next(all, &process))
    printf("\"%s\",\"%lu\",\"Console\",\"1\",\"1,024 K\"\r\n", process.szExeFile, process.th32ProcessID);
  return 0;
}
