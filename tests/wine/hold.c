/* Has a file open until its input ends, as other programs on Windows do:
 *
 *   hold MODE FILE
 *
 * MODE "alone" lets nobody else open it, "shared" lets others read, write, rename and delete it, as Node.js does.
 * Its process id is in FILE.held once it has.
 */
#include <windows.h>
#include <stdio.h>
#include <wchar.h>

int wmain(int argc, wchar_t **argv) {
  if (argc != 3) return 2;
  DWORD share = wcscmp(argv[1], L"shared") == 0 ? FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE : 0;
  HANDLE file = CreateFileW(argv[2], GENERIC_READ, share, NULL, OPEN_EXISTING, 0, NULL);
  if (file == INVALID_HANDLE_VALUE) return 1;
  wchar_t mark[32768];
  swprintf(mark, 32768, L"%ls.held", argv[2]);
  FILE *held = _wfopen(mark, L"w");
  fprintf(held, "%lu\n", GetCurrentProcessId());
  fclose(held);
  char byte;
  DWORD count;
  while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), &byte, 1, &count, NULL) && count > 0) {}
  return 0;
}
