/* A Windows program that stands for a Unix one: copied to git.exe, gh.exe, sh.exe ... it has relay.ts run the
 * program of its name, and passes arguments, directory, environment, streams and the exit code through. Wine can
 * start Unix programs itself, but does not connect the named pipes that Deno uses for their streams.
 *
 * The relay's port is in the file "port" beside the program, for tests start programs with a bare environment.
 *
 * Frames, both ways: 1 byte kind, 4 bytes length (little endian), data.
 *   to the relay:   'P' path of this program, 'A' one argument, 'C' directory, 'E' NAME=VALUE, 'G' go,
 *                   'I' input, 'X' end of input
 *   from the relay: 'O' output, 'R' errors, 'Q' exit code (4 bytes)
 */
#include <winsock2.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exit codes of the shim's own. */
enum { NO_RELAY = 126, BROKEN = 125 };

static SOCKET relay;
static CRITICAL_SECTION sending;

/* Where nobody listens any more, whoever receives notices it: the program may have ended well, its exit code sent. */
static void send_all(const char *data, int length) {
  while (length > 0) {
    int sent = send(relay, data, length, 0);
    if (sent <= 0) return;
    data += sent;
    length -= sent;
  }
}

static void send_frame(char kind, const char *data, int length) {
  char head[5] = {kind, length & 255, (length >> 8) & 255, (length >> 16) & 255, (length >> 24) & 255};
  EnterCriticalSection(&sending);
  send_all(head, 5);
  send_all(data, length);
  LeaveCriticalSection(&sending);
}

static void send_text(char kind, const wchar_t *text) {
  int length = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
  char *utf8 = malloc(length);
  WideCharToMultiByte(CP_UTF8, 0, text, -1, utf8, length, NULL, NULL);
  send_frame(kind, utf8, length - 1);
  free(utf8);
}

static int receive_all(char *data, int length) {
  while (length > 0) {
    int got = recv(relay, data, length, 0);
    if (got <= 0) return 0;
    data += got;
    length -= got;
  }
  return 1;
}

static DWORD WINAPI send_input(LPVOID unused) {
  static char data[65536];
  DWORD length;
  while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), data, sizeof data, &length, NULL) && length > 0)
    send_frame('I', data, length);
  send_frame('X', NULL, 0);
  return 0;
}

static int read_port(wchar_t *self) {
  wchar_t path[MAX_PATH + 8];
  wcscpy(path, self);
  wcscpy(wcsrchr(path, L'\\') + 1, L"port");
  FILE *file = _wfopen(path, L"r");
  int port = 0;
  if (!file) return 0;
  if (fscanf(file, "%d", &port) != 1) port = 0;
  fclose(file);
  return port;
}

static int connect_to(int port) {
  WSADATA data;
  struct sockaddr_in address = {0};
  WSAStartup(MAKEWORD(2, 2), &data);
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  relay = socket(AF_INET, SOCK_STREAM, 0);
  return connect(relay, (struct sockaddr *)&address, sizeof address) == 0;
}

int wmain(int argc, wchar_t **argv) {
  static wchar_t self[MAX_PATH], directory[32768];
  GetModuleFileNameW(NULL, self, MAX_PATH);
  InitializeCriticalSection(&sending);
  int port = read_port(self);
  if (port == 0 || !connect_to(port)) {
    fprintf(stderr, "shim: no relay on 127.0.0.1:%d\n", port);
    return NO_RELAY;
  }
  send_text('P', self);
  for (int i = 1; i < argc; i++) send_text('A', argv[i]);
  GetCurrentDirectoryW(32768, directory);
  send_text('C', directory);
  for (wchar_t *variable = GetEnvironmentStringsW(); *variable; variable += wcslen(variable) + 1)
    send_text('E', variable);
  send_frame('G', NULL, 0);
  CreateThread(NULL, 0, send_input, NULL, 0, NULL);

  HANDLE output = GetStdHandle(STD_OUTPUT_HANDLE), errors = GetStdHandle(STD_ERROR_HANDLE);
  char head[5], *data = NULL;
  int capacity = 0;
  while (receive_all(head, 5)) {
    int length = (unsigned char)head[1] | (unsigned char)head[2] << 8 | (unsigned char)head[3] << 16 |
                 (unsigned char)head[4] << 24;
    if (length > capacity) data = realloc(data, capacity = length);
    if (!receive_all(data, length)) break;
    if (head[0] == 'Q') {
      /* Wine may have the socket open for longer than the program runs. */
      shutdown(relay, SD_BOTH);
      ExitProcess((unsigned char)data[0]);
    }
    DWORD written;
    for (int at = 0; at < length; at += written)
      if (!WriteFile(head[0] == 'O' ? output : errors, data + at, length - at, &written, NULL)) ExitProcess(BROKEN);
  }
  return BROKEN;
}
