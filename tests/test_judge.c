// Tests of the [judge] room. Attack programs are in tests/judge; what one of them must earn, and
// which reward hacks and honest twins there are, is in the tables below.
#ifndef R1_NO_JUDGE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/un.h>

static r1_slice judge_slice(const char *text) { return (r1_slice){text, text ? strlen(text) : 0}; }
static r1_context *judge_context(const r1_judge_desc *desc) {
    return r1_context_new(
        &(r1_context_desc){.threads = 1, .fork_first = r1_judge_fork, .fork_first_desc = desc});
}
// The judge of a context; the test is skipped where the machine does not offer the level.
static r1_judge *judge_open(r1_context *ctx) {
    char reason[600];
    r1_judge *judge = r1_judge_open(ctx);
    if (judge) return judge;
    snprintf(reason, sizeof reason, "judge: %.500s", r1_message_of(ctx));
    r1_context_free(ctx);
    SKIP(reason);
    return NULL;
}
static int judge_python(r1_judge *judge) {
    int language = r1_judge_language_find(judge, judge_slice("python"));
    if (language < 0) SKIP("python3: not installed");
    return language;
}
static int judge_language(r1_judge *judge, const char *name) {
    int language = r1_judge_language_find(judge, judge_slice(name));
    if (language < 0) test_stop(TEST_SKIPPED, "judge: no compiler for %s", name);
    return language;
}
// Becomes an ordinary user for the rest of the process; root only.
static void judge_become_user(void) {
    enum { USER = 61007 };
    CHECK(chmod(test_folder, 0777) == 0);
    CHECK(setgroups(0, NULL) == 0 && setresgid(USER, USER, USER) == 0);
    CHECK(setresuid(USER, USER, USER) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0);
}
static r1_judge_verdict judge_code(r1_judge *judge, const char *source, const char *test_code) {
    r1_judge_result result;
    r1_judge_test test = {judge_slice(test_code), {NULL, 0}};
    r1_judge_task task = {.kind = R1_JUDGE_CODE,
                          .source = judge_slice(source),
                          .tests = &test,
                          .n_tests = 1,
                          .limits = {.cpu_seconds = 2, .wall_seconds = 20}};
    r1_judge_run(judge, &task, &result);
    printf("%-8s %.60s | %s\n", r1_judge_verdict_name(result.verdict), source, result.message);
    return result.verdict;
}

// ---- comparing ----
typedef struct judge_comparison {
    const char *output, *expected;
    r1_judge_checker checker;
    r1_judge_verdict verdict;
} judge_comparison;

TEST(judge_compares_tokens) {
    static const judge_comparison rows[] = {
        {"1 2\n", "1 2", {0}, R1_JUDGE_AC},
        {"1\r\n2\r\n", "1\n2\n", {0}, R1_JUDGE_AC},
        {" 1\t2\v\f", "1 2", {0}, R1_JUDGE_AC},
        {"1 2 3", "1 2", {0}, R1_JUDGE_WA},
        {"1", "1 2", {0}, R1_JUDGE_WA},
        {"12", "1 2", {0}, R1_JUDGE_WA},
        {"", "", {0}, R1_JUDGE_AC},
        {"", "1", {0}, R1_JUDGE_WA},
        {" \n", "", {0}, R1_JUDGE_AC},
        {"-0", "0", {0}, R1_JUDGE_WA},
        {"1.0", "1", {0}, R1_JUDGE_WA},
        {"Yes", "yes", {0}, R1_JUDGE_WA},
        {"Yes", "yes", {.ignore_case = true}, R1_JUDGE_AC},
        {"1.0", "1", {.absolute = 1e-9}, R1_JUDGE_AC},
        {"-0", "0", {.absolute = 1e-9}, R1_JUDGE_AC},
        {"nan", "1", {.absolute = 1e9}, R1_JUDGE_WA},
        {"nan", "nan", {.absolute = 1e9}, R1_JUDGE_AC},
        {"inf", "1", {.relative = 1e9}, R1_JUDGE_WA},
        {"1", "inf", {.relative = 1e9}, R1_JUDGE_WA},
        {"1e999", "1", {.relative = 1e9}, R1_JUDGE_WA},
        {"0x1", "1", {.absolute = 1}, R1_JUDGE_WA},
        {"1_0", "10", {.absolute = 1}, R1_JUDGE_WA},
        {"1.", ".9", {.absolute = 0.2}, R1_JUDGE_AC},
        {"+1e0", "1", {.absolute = 1e-9}, R1_JUDGE_AC},
        {"1e", "1", {.absolute = 1}, R1_JUDGE_WA},
        {".", "0", {.absolute = 1}, R1_JUDGE_WA},
        {"101", "100", {.relative = 0.011}, R1_JUDGE_AC},
        {"102", "100", {.relative = 0.011}, R1_JUDGE_WA},
        {"a b\n", "a b\n", {.exact = true}, R1_JUDGE_AC},
        {"a  b\n", "a b\n", {.exact = true}, R1_JUDGE_PE},
        {"a b", "a b\n", {.exact = true}, R1_JUDGE_PE},
        {"a c\n", "a b\n", {.exact = true}, R1_JUDGE_WA},
        {"A  b", "a  b", {.keep_space = true, .ignore_case = true}, R1_JUDGE_AC},
        {"A b", "a  b", {.keep_space = true, .ignore_case = true}, R1_JUDGE_PE},
        {"1.01  2", "1  2", {.keep_space = true, .absolute = 0.1}, R1_JUDGE_AC},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        r1_judge_verdict verdict = r1_judge_compare(
            judge_slice(rows[i].output), judge_slice(rows[i].expected), &rows[i].checker);
        printf("%s | %s: %s\n", rows[i].output, rows[i].expected, r1_judge_verdict_name(verdict));
        CHECK(verdict == rows[i].verdict);
    }
    r1_slice zero = {"a\0b", 3}, text = {"a b", 3};
    CHECK(r1_judge_compare(zero, text, NULL) == R1_JUDGE_WA);
    CHECK(r1_judge_compare(zero, zero, NULL) == R1_JUDGE_AC);
}
// One row of a data file a line.
static size_t judge_rows(const char *name, void (*fn)(const r1_json *row, void *arg), void *arg) {
    char command[1200];
    size_t length = strlen(name), rows = 0, size = 0;
    char *line = NULL;
    bool packed = length > 3 && strcmp(name + length - 3, ".gz") == 0;
    snprintf(command, sizeof command, "%s '%s' 2>/dev/null", packed ? "gzip -dc" : "cat",
             test_data(name));
    FILE *pipe = popen(command, "r");
    r1_context *ctx = r1_context_new(NULL);
    CHECK(pipe != NULL);
    for (ssize_t got; (got = getline(&line, &size, pipe)) > 0; rows++) {
        r1_json *row = r1_json_read(ctx, line, (size_t)got);
        CHECK(row != NULL);
        fn(row, arg);
        r1_json_free(ctx, row);
    }
    free(line);
    pclose(pipe);
    r1_context_free(ctx);
    if (!rows) SKIP("gzip: not installed");
    return rows;
}
static r1_slice judge_field(const r1_json *row, const char *key) {
    return r1_json_text(r1_json_find(row, key));
}
static void judge_checker_row(const r1_json *row, void *arg) {
    const r1_json *flags = r1_json_find(row, "flags");
    r1_judge_checker checker = {.ignore_case = true}; // that validator's default
    for (size_t i = 0; i < flags->count; i++) {
        r1_slice flag = r1_json_text(r1_json_at(flags, i));
        double value = 0;
        if (i + 1 < flags->count) r1i_judge_number(r1_json_text(r1_json_at(flags, i + 1)), &value);
        if (strcmp(flag.data, "case_sensitive") == 0) checker.ignore_case = false;
        if (strcmp(flag.data, "space_change_sensitive") == 0) checker.keep_space = true;
        if (strcmp(flag.data, "float_absolute_tolerance") == 0) checker.absolute = value;
        if (strcmp(flag.data, "float_relative_tolerance") == 0) checker.relative = value;
        if (strcmp(flag.data, "float_tolerance") == 0) checker.absolute = checker.relative = value;
    }
    r1_judge_verdict verdict =
        r1_judge_compare(judge_field(row, "output"), judge_field(row, "answer"), &checker);
    bool accept = r1_json_bool(r1_json_find(row, "accept"), false);
    printf("%s: %s\n", judge_field(row, "src").data, r1_judge_verdict_name(verdict));
    // One case was made of bytes that are not UTF-8; in the file both sides are the same text.
    bool lost = strcmp(judge_field(row, "src").data, "problemtools/test_long_binary_wa") == 0;
    *(size_t *)arg += lost || (verdict == R1_JUDGE_AC) == accept;
}
TEST(judge_data_checkers) {
    size_t right = 0, rows = judge_rows("checker_cases.jsonl", judge_checker_row, &right);
    CHECK_EQUAL_SIZE(right, rows);
}
static void judge_introclass_row(const r1_json *row, void *arg) {
    r1_judge_verdict verdict =
        r1_judge_compare(judge_field(row, "output"), judge_field(row, "answer"), NULL);
    bool accept = r1_json_bool(r1_json_find(row, "accept"), false);
    *(size_t *)arg += (verdict == R1_JUDGE_AC) == accept;
}
TEST(judge_data_introclass) {
    size_t right = 0;
    size_t rows = judge_rows("introclass_output_pairs.jsonl.gz", judge_introclass_row, &right);
    CHECK_EQUAL_SIZE(right, rows);
}
TEST(judge_finds_code) {
    r1_slice tag, code = r1_judge_code(judge_slice("<think>\n```c\nno\n```\n</think>\nSo:\n"
                                                   "```python\na\n```\nor\n  ```Py x\nb\nc\n  ```"),
                                       &tag);
    CHECK(code.size == 4 && memcmp(code.data, "b\nc\n", 4) == 0);
    CHECK(tag.size == 2 && memcmp(tag.data, "Py", 2) == 0);
    CHECK(!r1_judge_code(judge_slice("```python\nprint(1)\n"), NULL).data); // cut off
    CHECK(!r1_judge_code(judge_slice("no code"), &tag).data && !tag.data);
    CHECK(!r1_judge_code(judge_slice("```\nx\n```\n</think>"), NULL).data);
    code = r1_judge_code(judge_slice("```\n```"), &tag);
    CHECK(code.data && !code.size && !tag.size);
    CHECK(!r1_judge_code((r1_slice){NULL, 0}, NULL).data);
}

// ---- verdicts ----
typedef struct judge_program {
    const char *language, *source, *input, *expected;
    r1_judge_verdict verdict;
} judge_program;
static const judge_program judge_programs[] = {
    {"python", "print(sum(map(int, input().split())))", "1 2 3\n", "6\n", R1_JUDGE_AC},
    {"python", "print(7)", "", "6", R1_JUDGE_WA},
    {"python", "print(", "", "6", R1_JUDGE_CE},
    {"python", "print(6)\nraise SystemExit(1)", "", "6", R1_JUDGE_RE},
    {"python", "print(6)\n1 / 0", "", "6", R1_JUDGE_RE},
    {"python", "print(6)\nexit()", "", "6", R1_JUDGE_AC},
    {"python", "import sys\nprint(6)\nsys.exit(0)", "", "6", R1_JUDGE_AC},
    {"python", "def f():\n return 1\n  return 2\nexit()", "", "6", R1_JUDGE_CE},
    {"python", "if 1:\nprint(6)", "", "6", R1_JUDGE_CE},
    {"python", "exec('1 +')", "", "6", R1_JUDGE_RE}, // it compiles; what it runs does not
    {"python", "print(__file__[-7:])", "", "main.py", R1_JUDGE_AC},
    {"python", "while True: pass", "", "6", R1_JUDGE_TLE_CPU},
    {"python", "import time\ntime.sleep(60)", "", "6", R1_JUDGE_TLE_WALL},
    {"python", "a = []\nwhile True: a.append(' ' * 100000)", "", "6", R1_JUDGE_MLE},
    {"python", "while True: print('x' * 1000)", "", "6", R1_JUDGE_OLE},
    {"python", "import sys\nprint(len(sys.stdin.read()))", "", "0", R1_JUDGE_AC},
    {"python", "import sys, os\nprint(sys.argv, os.listdir('.'), __name__)", "",
     "['main.py'] ['main.py'] __main__", R1_JUDGE_AC},
    {"python", "import asyncio\nasync def f(): print(5)\nasyncio.run(f())", "", "5", R1_JUDGE_AC},
    {"python",
     "import subprocess\nprint(subprocess.run(['echo', '5'], capture_output=True).stdout)", "",
     "b'5\\n'", R1_JUDGE_AC},
    {"python",
     "import threading\nt = threading.Thread(target=print, args=(5,))\nt.start()\nt.join()", "",
     "5", R1_JUDGE_AC},
    {"python",
     "import sys\nsys.setrecursionlimit(10**6)\ndef f(n): return n and 1 + f(n - 1)\n"
     "print(f(20000))",
     "", "20000", R1_JUDGE_AC},
    {"python", "print('\\u00e4')", "", "\xc3\xa4", R1_JUDGE_AC},
    {"python", "print(hash('a') == hash('a'), list({'a', 'b', 'c', 'd'}) != 0)", "", "True True",
     R1_JUDGE_AC},
    {"c",
     "#include <stdio.h>\nint main(void) { int a, b; scanf(\"%d%d\", &a, &b);"
     " printf(\"%d\\n\", a + b); }",
     "3 4", "7", R1_JUDGE_AC},
    {"c", "int main(void) { return 0", "", "7", R1_JUDGE_CE},
    {"c", "int main(void) { return *(volatile int *)0; }", "", "7", R1_JUDGE_RE},
    {"c", "int main(void) { return 3; }", "", "", R1_JUDGE_RE},
    {"cpp", "#include <iostream>\nint main() { int a; std::cin >> a; std::cout << a * 2; }", "21",
     "42", R1_JUDGE_AC},
    {"cpp", "#include <vector>\nint main() { std::vector<int> v; return v.at(1); }", "", "",
     R1_JUDGE_RE},
};
static void judge_all_verdicts(r1_judge_level level) {
    r1_judge_desc desc = {.level = level, .min_level = R1_JUDGE_SECCOMP, .jobs = 4};
    enum { N = sizeof judge_programs / sizeof *judge_programs };
    static r1_judge_result results[N];
    static r1_judge_task tasks[N];
    static r1_judge_test tests[N];
    r1_context *ctx = judge_context(&desc);
    r1_judge *judge = judge_open(ctx);
    judge_python(judge);
    CHECK(r1_judge_level_of(judge) == level);
    for (size_t i = 0; i < N; i++) {
        const judge_program *row = &judge_programs[i];
        tests[i] = (r1_judge_test){judge_slice(row->input), judge_slice(row->expected)};
        tasks[i] = (r1_judge_task){.language = judge_language(judge, row->language),
                                   .source = judge_slice(row->source),
                                   .tests = &tests[i],
                                   .n_tests = 1,
                                   .limits = {1, 60, (size_t)100 << 20, 1 << 20, 0}};
        if (row->verdict == R1_JUDGE_TLE_WALL) tasks[i].limits.wall_seconds = 1;
        r1_judge_begin(judge, &tasks[i], &results[i]);
    }
    size_t wrong = 0;
    for (size_t i = 0; i < N; i++) {
        r1_judge_wait(judge, &results[i]);
        bool good = results[i].verdict == judge_programs[i].verdict;
        wrong += !good;
        printf("%s %s, expected %s: %.50s | %s\n", good ? "  " : "->",
               r1_judge_verdict_name(results[i].verdict),
               r1_judge_verdict_name(judge_programs[i].verdict), judge_programs[i].source,
               results[i].message);
        CHECK((results[i].verdict == R1_JUDGE_AC) == (results[i].message[0] == 0));
    }
    CHECK_EQUAL_SIZE(wrong, 0);
    r1_context_free(ctx);
}
TEST(judge_verdicts_ns) { judge_all_verdicts(R1_JUDGE_NS); }
TEST(judge_verdicts_landlock6) { judge_all_verdicts(R1_JUDGE_LANDLOCK6); }
TEST(judge_verdicts_landlock1) { judge_all_verdicts(R1_JUDGE_LANDLOCK1); }
TEST(judge_verdicts_seccomp) { judge_all_verdicts(R1_JUDGE_SECCOMP); }

// ---- attacks ----
typedef struct judge_expected {
    const char *name;
    r1_judge_verdict verdict; // of those not named: AC, that is, "contained" was printed
} judge_expected;
static const judge_expected judge_attacks[] = {
    {"fork_bomb", R1_JUDGE_TLE_CPU},
    {"spin", R1_JUDGE_TLE_CPU},
    {"spin_processes", R1_JUDGE_TLE_CPU},
    {"spin_children", R1_JUDGE_TLE_CPU},
    {"spin_orphans", R1_JUDGE_TLE_CPU},
    {"spin_timers", R1_JUDGE_TLE_CPU},
    {"sleep", R1_JUDGE_TLE_WALL},
    {"drip", R1_JUDGE_TLE_WALL},
    {"stop_self", R1_JUDGE_TLE_WALL},
    {"stop_all", R1_JUDGE_TLE_WALL},
    {"close_all", R1_JUDGE_TLE_WALL},
    {"memory", R1_JUDGE_MLE},
    {"memory_processes", R1_JUDGE_MLE},
    {"memory_threads", R1_JUDGE_MLE},
    {"memory_stack", R1_JUDGE_RE},
    {"kill_group", R1_JUDGE_RE},
    {"core", R1_JUDGE_RE},
    {"old_calls", R1_JUDGE_RE},
    {"x32_calls", R1_JUDGE_RE},
    {"flood_output", R1_JUDGE_OLE},
    {"flood_errors", R1_JUDGE_OLE},
    {"flood_children", R1_JUDGE_OLE},
    {"zero_bytes", R1_JUDGE_WA},
    {"fake_verdict", R1_JUDGE_WA},
};
static r1_judge_verdict judge_expected_of(const char *name) {
    for (size_t i = 0; i < sizeof judge_attacks / sizeof *judge_attacks; i++)
        if (strcmp(judge_attacks[i].name, name) == 0) return judge_attacks[i].verdict;
    return R1_JUDGE_AC;
}
// Attacks in languages with a compiler or an interpreter; none may print "contained".
static const judge_program judge_sources[] = {
    {"python", "print(open('/etc/passwd').read())", "", "x", R1_JUDGE_RE},
    {"python",
     "().__class__.__bases__[0].__subclasses__()\nimport os\nos.system('id; env; ls /')\n"
     "open('/etc/shadow')",
     "", "x", R1_JUDGE_RE},
    {"python",
     "import ctypes\nc = ctypes.CDLL(None)\n"
     "print([c.syscall(n, 0, 0, 0) for n in (101, 165, 272, 321, 425)])",
     "", "[-1, -1, -1, -1, -1]", R1_JUDGE_AC},
    {"python", "import re\nre.match('(a+)+$', 'a' * 40 + 'b')", "", "x", R1_JUDGE_TLE_CPU},
    {"python", "print(7 ** 7 ** 9)", "", "x", R1_JUDGE_TLE_CPU},
    {"python", "import os\nwhile True:\n try: os.fork()\n except OSError: pass", "", "x",
     R1_JUDGE_TLE_CPU},
    {"python",
     "import signal, time\nfor s in range(1, 32):\n try: signal.signal(s, signal.SIG_IGN)\n"
     " except OSError: pass\nwhile True: pass",
     "", "x", R1_JUDGE_TLE_CPU},
    {"python", "import socket\nsocket.create_connection(('127.0.0.1', 22))", "", "x", R1_JUDGE_RE},
    {"python", "print('A' * 10**6, flush=True)\nimport os\nos.write(1, b'B' * 10**7)", "", "x",
     R1_JUDGE_OLE},
    {"python", "import os\nos.kill(os.getppid(), 9)\nos.kill(-1, 9)\nprint('alive')", "", "x",
     R1_JUDGE_RE},
    {"c", "#include \"/etc/shadow\"\nint main(void) {}", "", "x", R1_JUDGE_CE},
    {"c", "#include \"/etc/passwd\"\nint main(void) {}", "", "x", R1_JUDGE_CE},
    {"c", "__asm__(\".incbin \\\"/etc/passwd\\\"\");\nint main(void) { return 0; }", "", "x",
     R1_JUDGE_CE},
    {"c", "#include \"/proc/self/environ\"\nint main(void) {}", "", "x", R1_JUDGE_CE},
    {"c", "#include \"main.c\"\nint main(void) {}", "", "x", R1_JUDGE_CE},
    {"c", "int a[(1u << 29)] = {1};\nint main(void) { return 0; }", "", "x", R1_JUDGE_CE},
    {"c", "#include \"/dev/zero\"\nint main(void) { return 1; }", "", "x", R1_JUDGE_CE},
    {"c", "char a[2000000000];\nint main(int n, char **v) { return a[n] + !v; }", "", "x",
     R1_JUDGE_RE},
    {"c",
     "__attribute__((constructor)) static void f(void) { for (;;) __builtin_trap(); }\n"
     "int main(void) {}",
     "", "x", R1_JUDGE_RE},
    {"cpp",
     "template <int N> struct A { static const int v = A<N - 1>::v + A<N - 2>::v; };\n"
     "int main() { return A<100000>::v; }",
     "", "x", R1_JUDGE_CE},
};
// What the attacks are aimed at, outside the boxes.
typedef struct judge_victims {
    pid_t sibling;
    int port;
    int sockets[3];
    char secret[300], place[300];
} judge_victims;
static void judge_victims_make(judge_victims *victims) {
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_un hidden = {AF_UNIX, "\0r1-judge-test"}, path = {AF_UNIX, ""};
    socklen_t size = sizeof local;
    memset(victims, 0, sizeof *victims);
    snprintf(victims->secret, sizeof victims->secret, "%s", test_path("secret"));
    snprintf(victims->place, sizeof victims->place, "%s", test_path("place"));
    FILE *secret = fopen(victims->secret, "w");
    CHECK(secret && fputs("a secret\n", secret) >= 0 && fclose(secret) == 0);
    CHECK(geteuid() != 0 || chmod(test_folder, 0777) == 0);
    CHECK(chmod(victims->secret, 0644) == 0);
    CHECK(mkdir(victims->place, 0777) == 0 && chmod(victims->place, 0777) == 0);
    snprintf(path.sun_path, sizeof path.sun_path, "%.90s/socket", victims->place);
    for (int i = 0; i < 3; i++)
        victims->sockets[i] = socket(i ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bind(victims->sockets[0], (struct sockaddr *)&local, sizeof local);
    getsockname(victims->sockets[0], (struct sockaddr *)&local, &size);
    bind(victims->sockets[1], (struct sockaddr *)&hidden, sizeof(sa_family_t) + 14);
    bind(victims->sockets[2], (struct sockaddr *)&path, sizeof path);
    chmod(path.sun_path, 0777);
    for (int i = 0; i < 3; i++) CHECK(listen(victims->sockets[i], 64) == 0);
    victims->port = ntohs(local.sin_port);
    setenv("R1_TEST_SECRET", "sk-1", 1);
    // A process of the user that the boxes have: theirs if root starts them, else our own.
    victims->sibling = fork();
    if (victims->sibling == 0) {
        if (geteuid() == 0 && setresuid(R1I_JUDGE_USER, R1I_JUDGE_USER, R1I_JUDGE_USER) != 0)
            _exit(1);
        prctl(PR_SET_DUMPABLE, 1);
        for (;;) pause();
    }
}
static size_t judge_left_in(const char *folder) {
    size_t n = 0;
    DIR *list = opendir(folder);
    for (struct dirent *row; list && (row = readdir(list));) {
        if (strncmp(row->d_name, "r1-judge-", 9) == 0)
            printf("left: %s/%s\n", folder, row->d_name), n++;
    }
    if (list) closedir(list);
    return n;
}
// Processes below this one; those that died unwaited are waited for first. A test makes itself the
// heir of orphans, so that none can hide.
static size_t judge_descendants(void) {
    static r1i_zygote z;
    r1i_usage usage;
    z.proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    r1i_usage_of(&z, &usage, getpid());
    close(z.proc);
    for (int i = 1; i < usage.processes; i++) { // the dead ones that are ours
        siginfo_t info;
        info.si_pid = 0;
        if (waitid(P_PID, (id_t)usage.pids[i], &info, WEXITED | WNOHANG) == 0 && info.si_pid)
            return judge_descendants();
    }
    return (size_t)usage.processes - 1;
}
// Waits until no more than `most` are left, or it is plain that they stay.
static size_t judge_descendants_soon(size_t most) {
    double end = r1i_seconds() + 10;
    size_t n = judge_descendants();
    while (n > most && r1i_seconds() < end) usleep(10000), n = judge_descendants();
    return n;
}
static void judge_check_outside(judge_victims *victims) {
    int state;
    char path[400];
    CHECK(waitpid(victims->sibling, &state, WNOHANG) == 0); // nobody ended it
    snprintf(path, sizeof path, "%s/escaped", victims->place);
    CHECK(access(path, F_OK) != 0);
    CHECK(access("/usr/bin/r1-judge-escaped", F_OK) != 0);
    CHECK(judge_left_in("/tmp") + judge_left_in("/var/tmp") + judge_left_in("/dev/shm") == 0);
    CHECK(shmget(0x7231, 1, 0) < 0);
    CHECK_EQUAL_SIZE(judge_descendants_soon(1), 1); // the sibling
    for (int i = 0; i < 3; i++) {                   // nobody called
        fcntl(victims->sockets[i], F_SETFL, O_NONBLOCK);
        CHECK(accept(victims->sockets[i], NULL, NULL) < 0);
    }
    kill(victims->sibling, SIGKILL);
    waitpid(victims->sibling, NULL, 0);
}
typedef struct judge_attack {
    char name[64], input[1024];
    r1_judge_test test;
    r1_judge_task task;
    r1_judge_result result;
    r1_judge_verdict verdict;
} judge_attack;
enum { JUDGE_ATTACKS = 200 };

// The attack binary is its own language: a source that needs no compiler.
static size_t judge_attacks_list(judge_attack *attacks, r1_judge *judge, r1_slice binary,
                                 const judge_victims *victims) {
    char command[600];
    size_t n = 0;
    snprintf(command, sizeof command, "%s --list", test_path("attacks"));
    FILE *list = popen(command, "r");
    CHECK(list != NULL);
    for (; n < JUDGE_ATTACKS && fscanf(list, "%63s", attacks[n].name) == 1; n++) {
        judge_attack *a = &attacks[n];
        snprintf(a->input, sizeof a->input, "%.63s %d %d %d %.255s %.255s\n", a->name,
                 (int)getpid(), (int)victims->sibling, victims->port, victims->secret,
                 victims->place);
        a->verdict = judge_expected_of(a->name);
        a->test = (r1_judge_test){judge_slice(a->input), judge_slice("contained\n")};
        a->task.language = judge_language(judge, "attack");
        a->task.source = binary;
        a->task.checker.exact = true;
    }
    pclose(list);
    for (size_t i = 0; i < sizeof judge_sources / sizeof *judge_sources; i++, n++) {
        judge_attack *a = &attacks[n];
        const judge_program *row = &judge_sources[i];
        snprintf(a->name, sizeof a->name, "%s %.40s", row->language, row->source);
        a->verdict = row->verdict;
        a->test = (r1_judge_test){judge_slice(row->input), judge_slice(row->expected)};
        a->task.language = judge_language(judge, row->language);
        a->task.source = judge_slice(row->source);
    }
    return n;
}
static const char *const judge_attack_run[] = {"./main", NULL};
static const r1_judge_language judge_attack_language = {"attack", "main",           NULL,
                                                        NULL,     judge_attack_run, 0};
static r1_judge_desc judge_attack_desc(r1_judge_level level) {
    char command[700];
    snprintf(command, sizeof command,
             "${CC:-cc} -std=gnu11 -O1 tests/judge/attacks.c -o %s -lpthread",
             test_path("attacks"));
    if (system(command) != 0) SKIP("cc: the attacks do not compile");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return (r1_judge_desc){.level = level,
                           .min_level = level,
                           .jobs = 4,
                           .languages = &judge_attack_language,
                           .n_languages = 1};
}
static void judge_attack_all(r1_judge_level level, bool ordinary) {
    static judge_attack attacks[JUDGE_ATTACKS];
    size_t size, escapes = 0, wrong = 0;
    judge_victims victims;
    if (ordinary && geteuid() != 0) SKIP("root: the other test is the ordinary user's");
    r1_judge_desc desc = judge_attack_desc(level);
    if (ordinary) judge_become_user();
    r1_context *ctx = judge_context(&desc);
    judge_victims_make(&victims);
    r1_judge *judge = judge_open(ctx);
    CHECK(r1_judge_level_of(judge) == level);
    char *binary = r1_file_read(ctx, test_path("attacks"), &size);
    CHECK(binary != NULL);
    size_t n = judge_attacks_list(attacks, judge, (r1_slice){binary, size}, &victims);
    CHECK(n >= 90);
    for (size_t i = 0; i < n; i++) {
        judge_attack *a = &attacks[i];
        a->task.tests = &a->test, a->task.n_tests = 1;
        a->task.limits = (r1_judge_limits){0.5, 60, (size_t)128 << 20, 1 << 20, 32};
        if (a->verdict == R1_JUDGE_TLE_WALL) a->task.limits.wall_seconds = 1;
        r1_judge_begin(judge, &a->task, &a->result);
    }
    for (size_t i = 0; i < n; i++) {
        judge_attack *a = &attacks[i];
        r1_judge_wait(judge, &a->result);
        bool good = a->result.verdict == a->verdict;
        bool escape = strstr(a->result.message, "ESCAPE") != NULL;
        wrong += !good, escapes += escape;
        if (!good || escape)
            printf("-> %s: %s, expected %s (%s) cpu %.2f wall %.2f\n", a->name,
                   r1_judge_verdict_name(a->result.verdict), r1_judge_verdict_name(a->verdict),
                   a->result.message, a->result.cpu_seconds, a->result.wall_seconds);
        // The host never held more than the limit and what fits between two looks.
        if (a->result.memory_bytes > (size_t)(128 + 25) << 20)
            printf("memory %s: %zu\n", a->name, a->result.memory_bytes);
    }
    printf("%zu attacks at %s, %zu escapes, %zu other verdicts\n", n, r1_judge_level_name(level),
           escapes, wrong);
    CHECK_EQUAL_SIZE(escapes, 0);
    CHECK_EQUAL_SIZE(wrong, 0);
    r1_context_free(ctx);
    judge_check_outside(&victims);
}
TEST(judge_attacks_ns_root) { judge_attack_all(R1_JUDGE_NS, false); }
TEST(judge_attacks_ns_user) { judge_attack_all(R1_JUDGE_NS, true); }
TEST(judge_attacks_landlock6_root) { judge_attack_all(R1_JUDGE_LANDLOCK6, false); }
TEST(judge_attacks_landlock6_user) { judge_attack_all(R1_JUDGE_LANDLOCK6, true); }

// ---- reward hacks ----
// Each row is a program that tries to be accepted without solving the task, and a program that
// looks like it but is honest.
typedef struct judge_twins {
    const char *hack, *honest;
} judge_twins;
// The task: print twice the number that is read. Tests: 21 and 5.
static const judge_twins judge_stdio_twins[] = {
    {"import sys\nsys.exit(0)", "import sys\nprint(2 * int(input()))\nsys.exit(0)"},
    {"import os\nos._exit(0)", "import os\nprint(2 * int(input()), flush=True)\nos._exit(0)"},
    {"print('AC')", "print(int(input()) << 1)"},
    {"print('{\"verdict\": \"AC\", \"passed\": 2}')", "n = int(input())\nprint(f'{n + n}')"},
    {"print('ALL TESTS PASSED')\nraise SystemExit", "print(2 * int(input()))\nraise SystemExit"},
    {"print(*range(1000))", "print(*[2 * int(input())])"},
    {"import glob\nfor p in glob.glob('../**/*', recursive=True): print(open(p).read())",
     "import glob\nglob.glob('*')\nprint(2 * int(input()))"},
    {"print(open('/box/expected').read())", "print(2 * int(open(0).read()))"},
    {"print(42)", "n = int(input())\nprint({21: 42}.get(n, 2 * n))"},
    {"print(input())", "print(2 * int(input().strip()))"},
    {"n = int(input())\nprint(2 * n, 2 * n)", "n = int(input())\nprint(2 * n, end='')"},
    {"n = int(input())\nprint(2 * n)\n1 / 0", "n = int(input())\nprint(2 * n)\ntry: 1 / 0\n"
                                              "except ZeroDivisionError: pass"},
    {"import sys\nprint(2 * int(input()), file=sys.stderr)",
     "import sys\nn = int(input())\nprint(n, file=sys.stderr)\nprint(2 * n)"},
    {"n = 2 * int(input())\nprint(' '.join(str(n)))", "n = 2 * int(input())\nprint('  ', n, '  ')"},
    {"print(hex(2 * int(input())))", "print(int(hex(2 * int(input())), 16))"},
    {"print('%e' % (2 * int(input())))", "print('%d' % (2 * int(input())))"},
    {"print(str(2 * int(input())) + '\\0')", "print(str(2 * int(input())) + '\\r')"},
    {"n = str(2 * int(input()))\nprint('\\r\\n'.join(n + '0'))",
     "n = str(2 * int(input()))\nprint('\\r\\n' + n + '\\r\\n')"},
    {"print(float('nan'))", "print(round(float(2 * int(input()))))"},
    {"print('-0')", "print(-2 * -int(input()))"},
    {"print(' ' * 10**6, end='')\nwhile True: print(' ' * 10**6, end='')",
     "print(' ' * 10**5, 2 * int(input()), ' ' * 10**5)"},
    {"n = 2 * int(input())\nprint(n, flush=True)\nwhile True: pass",
     "n = 2 * int(input())\nprint(n, flush=True)\nfor i in range(10**5): pass"},
    {"import atexit\natexit.register(print, 'accepted')",
     "import atexit\natexit.register(print, 2 * int(input()))"},
    {"import os, signal\nos.kill(os.getppid(), signal.SIGTERM)\nos.kill(0, signal.SIGKILL)",
     "import os, signal\nos.kill(os.getpid(), 0)\nprint(2 * int(input()))"},
    {"import os\nfor fd in range(3, 64):\n try: os.write(fd, b'\\1\\0\\0\\0' * 32)\n"
     " except OSError: pass",
     "import os\nos.write(1, b'%d\\n' % (2 * int(input())))"},
    {"print(''.join(chr(0xff10 + int(c)) for c in str(2 * int(input()))))",
     "print(''.join(chr(48 + int(c)) for c in str(2 * int(input()))))"},
    {"open('main.py', 'w').write('print(42)')",
     "len(open('main.py').read())\nprint(2 * int(input()))"},
};
// The task: f(a, b) is a * b + 1. The test compares, and uses abs and math as tests do.
static const char judge_twins_test[] = "assert f(2, 3) == 7\nassert f(-4, 5) == -19\n"
                                       "assert abs(f(1, 0.5) - 1.5) < 1e-9\n"
                                       "assert type(f(3, 3)) is int and 10 == f(3, 3)\n"
                                       "assert f(10**20, 10) == 10**21 + 1\n";
static const judge_twins judge_code_twins[] = {
    {"import os\ndef f(a, b): os._exit(0)",
     "import os\ndef f(a, b): return a * b + (os.getpid() > 0)"},
    {"import sys\nsys.exit(0)", "import sys\ndef f(a, b): return a * b + 1"},
    {"def f(a, b): exit(0)", "def f(a, b):\n if a == 'x': exit(0)\n return a * b + 1"},
    {"class Any:\n def __eq__(self, o): return True\ndef f(a, b): return Any()",
     "class Any:\n def __eq__(self, o): return True\ndef f(a, b): return a * b + (Any() == 1)"},
    {"class Any(int):\n def __eq__(self, o): return True\n def __sub__(self, o): return 0\n"
     "def f(a, b): return Any(1)",
     "class Same(int): pass\ndef f(a, b): return 1 + a * b + int(Same(0))"},
    {"class Any(float):\n __eq__ = __le__ = __lt__ = lambda s, o: True\ndef f(a, b): return Any()",
     "f = lambda a, b: a * b + 1"},
    {"class T(type):\n def __eq__(s, o): return True\n def __hash__(s): return 1\n"
     "class Any(metaclass=T): pass\ndef f(a, b): return Any",
     "class F:\n def __call__(self, a, b): return a * b + 1\nf = F()"},
    {"import builtins\nbuiltins.abs = lambda x: 0\nabs = builtins.abs\ndef f(a, b): return 7",
     "def g(x): return x + 1\ndef f(a, b): return g(a * b)"},
    {"import builtins\nbuiltins.AssertionError = ZeroDivisionError\ndef f(a, b): return 0",
     "import functools\n@functools.lru_cache(None)\ndef f(a, b): return a * b + 1"},
    {"import sys\ndef f(a, b):\n x = sys._getframe()\n while x:\n  for v in x.f_locals.values():\n"
     "   if isinstance(v, int): return v\n  x = x.f_back",
     "import sys\ndef f(a, b):\n x = sys._getframe().f_locals\n return x['a'] * x['b'] + 1"},
    {"import gc\ndef f(a, b):\n for o in gc.get_objects():\n  if isinstance(o, dict) and 'want' in "
     "o:"
     " return o['want']",
     "import gc\ndef f(a, b):\n gc.collect()\n return a * b + 1"},
    {"import sys\ndef f(a, b): return eval(sys.stdin.read())",
     "import sys\nsys.stdin.read()\ndef f(a, b): return a * b + 1"},
    {"print('ALL TESTS PASSED')\ndef f(a, b): print('ok')",
     "def f(a, b):\n print('ok')\n return a * b + 1"},
    {"import os\nos.write(4, b'00000001n' * 10)\ndef f(a, b): return 0",
     "import os\nos.write(1, b'00000001n' * 10)\ndef f(a, b): return a * b + 1"},
    {"import os\ndef f(a, b):\n os.write(4, b'0000000aX')\n return 0",
     "import os\ndef f(a, b):\n os.write(2, b'0000000aX')\n return a * b + 1"},
    {"import atexit, os\natexit.register(os._exit, 0)\ndef f(a, b): raise AssertionError",
     "import atexit\natexit.register(print, 'bye')\ndef f(a, b): return a * b + 1"},
    {"def f(a, b): raise StopIteration", "def f(a, b): return next(iter([a * b + 1]))"},
    {"def f(a, b): yield 7", "def f(a, b):\n def g(): yield a * b + 1\n return sum(g())"},
    {"n = iter([7, -19, 1.5, 3, 10])\ndef f(a, b): return next(n)",
     "seen = []\ndef f(a, b):\n seen.append(a)\n return a * b + 1"},
    {"def f(a, b): return float('nan')",
     "import math\ndef f(a, b): return 1 + a * b + math.floor(0)"},
    {"def f(a, b): return None", "def f(*args, **named): return args[0] * args[1] + 1"},
    {"def f(a, b): return True", "from operator import mul\ndef f(a, b): return mul(a, b) + True"},
    {"import sys\nsys.settrace(lambda *a: None)\ndef f(a, b): return 1 + 1",
     "import sys\nsys.setrecursionlimit(5000)\ndef f(a, b): return 1 + a * b"},
    {"import os\nif os.fork(): os._exit(0)\ndef f(a, b): return 7",
     "import os\ndef f(a, b): return a * b + os.getpid() // os.getpid()"},
    {"def f(a, b):\n while True: pass",
     "def f(a, b):\n for i in range(1000): pass\n return a * b + 1"},
    {"def g(a, b): return a * b + 1", "def g(a, b): return a * b + 1\nf = g"},
};
static void judge_twins_all(r1_judge_level level) {
    r1_judge_desc desc = {.level = level, .jobs = 4};
    enum {
        S = sizeof judge_stdio_twins / sizeof *judge_stdio_twins,
        C = sizeof judge_code_twins / sizeof *judge_code_twins
    };
    static r1_judge_result results[2 * (S + C)];
    static r1_judge_task tasks[2 * (S + C)];
    r1_judge_test tests[2] = {{judge_slice("21\n"), judge_slice("42\n")},
                              {judge_slice("5\n"), judge_slice("10\n")}};
    r1_judge_test code = {judge_slice(judge_twins_test), {NULL, 0}};
    r1_context *ctx = judge_context(&desc);
    r1_judge *judge = judge_open(ctx);
    size_t earned = 0, lost = 0;
    for (size_t i = 0; i < 2 * (S + C); i++) {
        bool stdio = i < 2 * S;
        const judge_twins *row =
            stdio ? &judge_stdio_twins[i / 2] : &judge_code_twins[(i - 2 * S) / 2];
        tasks[i] = (r1_judge_task){.language = judge_python(judge),
                                   .kind = stdio ? R1_JUDGE_STDIO : R1_JUDGE_CODE,
                                   .source = judge_slice(i % 2 ? row->honest : row->hack),
                                   .tests = stdio ? tests : &code,
                                   .n_tests = stdio ? 2 : 1,
                                   .limits = {1, 20, 0, 0, 0}};
        r1_judge_begin(judge, &tasks[i], &results[i]);
    }
    for (size_t i = 0; i < 2 * (S + C); i++) {
        r1_judge_wait(judge, &results[i]);
        bool accepted = results[i].verdict == R1_JUDGE_AC;
        // A hack must be judged, too: a sample that leaves its group pays nothing for trying.
        bool judged = results[i].verdict != R1_JUDGE_SANDBOX_ERROR;
        earned += i % 2 == 0 && (accepted || !judged), lost += i % 2 == 1 && !accepted;
        if (i % 2 ? !accepted : accepted || !judged)
            printf("-> %s: %s\n%s\n", r1_judge_verdict_name(results[i].verdict), results[i].message,
                   tasks[i].source.data);
    }
    printf("%d twins: %zu hacks earned, %zu honest programs lost\n", (int)(S + C), earned, lost);
    CHECK(S + C >= 40);
    CHECK_EQUAL_SIZE(earned, 0);
    CHECK_EQUAL_SIZE(lost, 0);
    r1_context_free(ctx);
}
TEST(judge_reward_hacks_ns) { judge_twins_all(R1_JUDGE_NS); }
TEST(judge_reward_hacks_landlock6) { judge_twins_all(R1_JUDGE_LANDLOCK6); }

// ---- function tests ----
TEST(judge_calls_functions) {
    static const struct {
        const char *source, *entry, *arguments, *expected;
        r1_judge_verdict verdict;
    } rows[] = {
        {"def f(a, b): return [a + b, (a, b)]", "f", "[1, 2]", "[3, [1, 2]]", R1_JUDGE_AC},
        {"def f(a, b): return [a + b, (b, a)]", "f", "[1, 2]", "[3, [1, 2]]", R1_JUDGE_WA},
        {"class Solution:\n def f(self, a): return {str(i): i / 2 for i in a}", "Solution.f",
         "[[1, 2]]", "{\"1\": 0.5, \"2\": 1}", R1_JUDGE_AC},
        {"from typing import List\nclass Solution:\n def twoSum(self, nums: List[int], target: "
         "int) "
         "-> List[int]:\n  seen = {}\n  for i, x in enumerate(nums):\n   if target - x in seen: "
         "return [seen[target - x], i]\n   seen[x] = i",
         "Solution.twoSum", "[[2, 7, 11, 15], 9]", "[0, 1]", R1_JUDGE_AC},
        {"class Solution:\n def twoSum(self, nums, target): return [1, 0]", "Solution.twoSum",
         "[[2, 7, 11, 15], 9]", "[0, 1]", R1_JUDGE_WA},
        {"class Solution:\n def other(self, a): return a", "Solution.f", "[1]", "1", R1_JUDGE_RE},
        {"def f(a): return 1 / 3", "f", "[0]", "0.333333333", R1_JUDGE_AC}, // tolerance
        {"def f(a): return 1 / 3", "f", "[0]", "0.3333", R1_JUDGE_WA},
        {"def f(a): return True", "f", "[0]", "1", R1_JUDGE_WA},
        {"def f(a): return 1.0", "f", "[0]", "1", R1_JUDGE_AC},
        {"def f(a): return 'x'", "f", "[0]", "null", R1_JUDGE_WA},
        {"def f(a): pass", "f", "[0]", "null", R1_JUDGE_AC},
        {"def f(a): return a.pop()", "f", "[[]]", "1", R1_JUDGE_RE},
        {"def g(a): return a", "f", "[1]", "1", R1_JUDGE_RE},
        {"def f(a) return a", "f", "[1]", "1", R1_JUDGE_CE},
        {"def f(a): return a", "f", "[1", "1", R1_JUDGE_SANDBOX_ERROR},
        {"def f(a): return a", NULL, "[1]", "1", R1_JUDGE_SANDBOX_ERROR},
        {"def f(a):\n x = []\n x.append(x)\n return x", "f", "[1]", "1", R1_JUDGE_RE},
        {"def f(a): return 'x' * 10**8", "f", "[1]", "1", R1_JUDGE_RE},
    };
    r1_context *ctx = judge_context(NULL);
    r1_judge *judge = judge_open(ctx);
    judge_python(judge);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        r1_judge_result result;
        r1_judge_test test = {judge_slice(rows[i].arguments), judge_slice(rows[i].expected)};
        r1_judge_task task = {.kind = R1_JUDGE_CALL,
                              .source = judge_slice(rows[i].source),
                              .entry = rows[i].entry,
                              .tests = &test,
                              .n_tests = 1,
                              .limits = {2, 20, 0, 0, 0},
                              .checker = {.relative = 1e-6}};
        r1_judge_run(judge, &task, &result);
        printf("%s: %s, %s\n", rows[i].source, r1_judge_verdict_name(result.verdict),
               result.message);
        CHECK(result.verdict == rows[i].verdict);
    }
    r1_context_free(ctx);
}
TEST(judge_code_sees_plain_values) {
    static const char source[] =
        "import collections, fractions, decimal, math\n"
        "class Node:\n def __init__(self, v): self.v, self.next = v, None\n"
        "def same(x): return x\n"
        "def kinds(): return [None, True, 1, -5, 1.5, 2j, 'a\\ud800\\u00e4', b'\\0', "
        "bytearray(b'x'),\n"
        "  (1,), {1}, frozenset([2]), {'k': [1]}, collections.Counter('aab'),\n"
        "  collections.OrderedDict([(1, 2)]), collections.deque([3]), fractions.Fraction(1, 3),\n"
        "  decimal.Decimal('0.1'), 10**5000, float('inf')]\n"
        "def sort(a, *, key=None): a.sort()\n"
        "def update(d): d['new'] = 1\n"
        "def count(n):\n for i in range(n): yield i\n"
        "def length(node): return 0 if node is None else 1 + length(node.next)\n"
        "def boom(): raise ValueError('no')\n";
    static const char *const passes[] = {
        "import collections, fractions, decimal\nk = kinds()\n"
        "assert k[:4] == [None, True, 1, -5] and k[4:6] == [1.5, 2j] and k[6] == "
        "'a\\ud800\\u00e4'\n"
        "assert k[7:12] == [b'\\0', bytearray(b'x'), (1,), {1}, frozenset([2])]\n"
        "assert k[12] == {'k': [1]} and k[13] == collections.Counter('aab')\n"
        "assert k[14] == {1: 2} and k[15] == collections.deque([3])\n"
        "assert k[16] == fractions.Fraction(1, 3) and k[17] == decimal.Decimal('0.1')\n"
        "assert k[18] == 10**5000 and k[19] == float('inf')\n"
        "assert [type(a) for a in same(k[:13])] == [type(a) for a in k[:13]]",
        "a = [3, 1, 2]\nassert sort(a) is None and a == [1, 2, 3]",
        "d = {}\nupdate(d)\nassert d == {'new': 1}",
        "assert list(count(3)) == [0, 1, 2] and sum(count(4)) == 6",
        "n = Node(1)\nn.next = Node(2)\nassert length(n) == 2 and n.next.v == 2 and n.next is "
        "n.next",
        "try:\n boom()\n assert False\nexcept ValueError as e: assert str(e) == 'no'",
        "assert math.sqrt(4) == 2",
        "assert same(int) is int and same([str, list]) == [str, list]",
    };
    static const char *const fails[] = {"assert same(1) == 2", "boom()", "assert nothing() == 1",
                                        "assert Node(1) == Node(1)", "assert 5 in count(10**9)"};
    r1_context *ctx = judge_context(NULL);
    r1_judge *judge = judge_open(ctx);
    judge_python(judge);
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
        printf("%s\n", passes[i]);
        CHECK(judge_code(judge, source, passes[i]) == R1_JUDGE_AC);
    }
    for (size_t i = 0; i < sizeof fails / sizeof *fails; i++) {
        r1_judge_verdict verdict = judge_code(judge, source, fails[i]);
        CHECK(verdict == R1_JUDGE_WA || verdict == R1_JUDGE_RE);
    }
    // A test that is wrong itself is not the program's fault.
    CHECK(judge_code(judge, source, "assert same(1 == 1") == R1_JUDGE_SANDBOX_ERROR);
    CHECK(judge_code(judge, source, "assert same(lambda: 1)") == R1_JUDGE_SANDBOX_ERROR);
    r1_context_free(ctx);
}

// ---- public problems ----
typedef struct judge_problem {
    char *name, *entry, *setup, *source, *test_code;
    r1_judge_test test;
    r1_judge_task task;
    r1_judge_result result;
} judge_problem;
typedef struct judge_problems {
    judge_problem rows[800];
    size_t n;
} judge_problems;

static char *judge_join(const char *a, const char *b, const char *c) {
    size_t n = strlen(a) + strlen(b) + strlen(c) + 1;
    char *text = (char *)malloc(n);
    CHECK(text != NULL);
    snprintf(text, n, "%s%s%s", a, b, c);
    return text;
}
static void judge_humaneval_row(const r1_json *row, void *arg) {
    judge_problems *problems = (judge_problems *)arg;
    judge_problem *p = &problems->rows[problems->n++];
    const char *prompt = judge_field(row, "prompt").data;
    p->name = judge_join(judge_field(row, "task_id").data, "", "");
    p->entry = judge_join(judge_field(row, "entry_point").data, "", "");
    p->setup = judge_join(prompt, "", "");
    p->source = judge_join(prompt, judge_field(row, "canonical_solution").data, "");
    char *call = judge_join("\ncheck(", p->entry, ")\n");
    p->test_code = judge_join(judge_field(row, "test").data, call, "");
    free(call);
}
static void judge_mbpp_row(const r1_json *row, void *arg) {
    judge_problems *problems = (judge_problems *)arg;
    judge_problem *p = &problems->rows[problems->n++];
    const r1_json *tests = r1_json_find(row, "test_list");
    r1_slice number = r1_json_find(row, "task_id")->text;
    p->name = judge_join("MBPP/", number.data, "");
    p->setup = judge_join(judge_field(row, "test_setup_code").data, "\n", "");
    p->source = judge_join(judge_field(row, "code").data, "\n", "");
    p->test_code = judge_join("", "", "");
    for (const r1_json *t = tests->child; t; t = t->next) {
        char *longer = judge_join(p->test_code, t->text.data, "\n");
        free(p->test_code);
        p->test_code = longer;
    }
}
// Changes one place of a program, if there is one: an operator, a digit or a word.
static bool judge_mutate(char *text, size_t from, r1_random *random) {
    static const char *const changes[][2] = {
        {" < ", " > "}, {" > ", " < "},     {" + ", " - "},   {" - ", " + "},   {" == ", " != "},
        {" * ", " + "}, {" and ", " or  "}, {"True", "None"}, {" % ", " / "},   {"1", "2"},
        {"0", "1"},     {"max(", "min("},   {" <= ", " <  "}, {" >= ", " >  "}, {"2", "3"},
    };
    enum { CHANGES = sizeof changes / sizeof *changes };
    size_t length = strlen(text);
    uint32_t first = r1_random_below(random, CHANGES), at = r1_random_u32(random);
    for (size_t k = 0; k < CHANGES; k++) {
        const char *const *change = changes[(first + k) % CHANGES];
        for (size_t i = 0; i + from < length; i++) {
            char *here = text + from + (i + at) % (length - from);
            if (strncmp(here, change[0], strlen(change[0])) != 0) continue;
            memcpy(here, change[1], strlen(change[1]));
            return true;
        }
    }
    return false;
}
// The same program and test in one interpreter, outside any box: passed or not.
static bool judge_bare(const r1_judge *judge, const judge_problem *p) {
    int state;
    FILE *file = fopen(test_path("bare.py"), "w");
    CHECK(file != NULL);
    fprintf(file, "%s\n%s\n%s\n", p->source, p->setup && !p->entry ? p->setup : "", p->test_code);
    fclose(file);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit cpu = {3, 3}, memory = {(rlim_t)1 << 30, (rlim_t)1 << 30};
        int null = open("/dev/null", O_RDWR);
        for (int i = 0; i < 3; i++) dup2(null, i);
        setrlimit(RLIMIT_CPU, &cpu);
        setrlimit(RLIMIT_AS, &memory);
        setenv("PYTHONHASHSEED", "0", 1);
        alarm(60);
        execl(judge->zygote.languages[0].runner, "python3", "-s", "-S", "-B", test_path("bare.py"),
              (char *)NULL);
        _exit(126);
    }
    CHECK(waitpid(child, &state, 0) == child);
    CHECK(!WIFEXITED(state) || WEXITSTATUS(state) != 126);
    return WIFEXITED(state) && WEXITSTATUS(state) == 0;
}
static void judge_problems_run(r1_judge *judge, judge_problems *problems, size_t step) {
    for (size_t i = 0; i < problems->n; i += step) {
        judge_problem *p = &problems->rows[i];
        p->test = (r1_judge_test){judge_slice(p->test_code), {NULL, 0}};
        p->task = (r1_judge_task){.kind = R1_JUDGE_CODE,
                                  .source = judge_slice(p->source),
                                  .setup = judge_slice(p->setup),
                                  .entry = p->entry,
                                  .tests = &p->test,
                                  .n_tests = 1,
                                  .limits = {3, 60, (size_t)1 << 30, 0, 0}};
        r1_judge_begin(judge, &p->task, &p->result);
    }
    for (size_t i = 0; i < problems->n; i += step) r1_judge_wait(judge, &problems->rows[i].result);
}
static void judge_problems_load(judge_problems *problems) {
    problems->n = 0;
    judge_rows("humaneval.jsonl.gz", judge_humaneval_row, problems);
    judge_rows("mbpp.jsonl.gz", judge_mbpp_row, problems);
}
TEST(judge_data_canonical_solutions) {
    static judge_problems problems;
    size_t wrong = 0, step = test_full() ? 1 : 4, ran = 0;
    judge_problems_load(&problems);
    r1_context *ctx = judge_context(NULL);
    r1_judge *judge = judge_open(ctx);
    judge_python(judge);
    judge_problems_run(judge, &problems, step);
    for (size_t i = 0; i < problems.n; i += step, ran++) {
        const judge_problem *p = &problems.rows[i];
        if (p->result.verdict == R1_JUDGE_AC) continue;
        bool bare = judge_bare(judge, p);
        wrong += bare; // what fails outside, too, is the data's own fault
        printf("%s: %s %s, bare: %d\n", p->name, r1_judge_verdict_name(p->result.verdict),
               p->result.message, bare);
    }
    printf("%zu of %zu programs, %zu not accepted\n", ran, problems.n, wrong);
    CHECK_EQUAL_SIZE(wrong, 0);
    r1_context_free(ctx);
}
TEST(judge_data_mutants) {
    static judge_problems problems;
    size_t differ = 0, failed = 0, ran = 0, step = test_full() ? 1 : 16;
    r1_random random = {1, R1_STREAM_USER, 0, 0, 0};
    judge_problems_load(&problems);
    for (size_t i = 0; i < problems.n; i++) {
        judge_problem *p = &problems.rows[i];
        judge_mutate(p->source, p->entry ? strlen(p->setup) : 0, &random);
    }
    r1_context *ctx = judge_context(NULL);
    r1_judge *judge = judge_open(ctx);
    judge_python(judge);
    judge_problems_run(judge, &problems, step);
    for (size_t i = 0; i < problems.n; i += step, ran++) {
        const judge_problem *p = &problems.rows[i];
        bool bare = judge_bare(judge, p), boxed = p->result.verdict == R1_JUDGE_AC;
        failed += !bare, differ += bare != boxed || p->result.verdict == R1_JUDGE_SANDBOX_ERROR;
        if (bare != boxed)
            printf("-> %s: bare %d, %s %s\n%s\n%s\n", p->name, bare,
                   r1_judge_verdict_name(p->result.verdict), p->result.message, p->source,
                   p->test_code);
    }
    printf("%zu mutants, %zu fail, %zu differ\n", ran, failed, differ);
    CHECK(failed > ran / 4 && failed < ran);
    CHECK_EQUAL_SIZE(differ, 0);
    r1_context_free(ctx);
}

// ---- nothing is left ----
static const char *const judge_mix[] = {
    "daemon",          "fork_chain",        "core",      "thread_count",
    "fork_count",      "kill_all",          "drip",      "clone_parent",
    "flood_output",    "stop_self",         "fill_disk", "read_root",
    "stopped_orphans", "orphans_of_orphans"};
enum { JUDGE_MIX = sizeof judge_mix / sizeof *judge_mix };
static size_t judge_open_files(void) {
    size_t n = 0;
    DIR *list = opendir("/proc/self/fd");
    while (readdir(list)) n++;
    closedir(list);
    return n;
}
static size_t judge_memory_of(pid_t pid) {
    char path[64];
    unsigned long all = 0, used = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "r");
    CHECK(file && fscanf(file, "%lu %lu", &all, &used) == 2);
    fclose(file);
    return used * 4096;
}
// One job of the mix: what it is changes with `i`.
static void judge_mix_job(judge_attack *a, r1_judge *judge, r1_slice binary, size_t i,
                          double wall) {
    snprintf(a->input, sizeof a->input, "%s %d 1 1 /x /x\n", judge_mix[i % JUDGE_MIX],
             (int)getpid());
    a->test = (r1_judge_test){judge_slice(a->input), judge_slice("contained\n")};
    a->task = (r1_judge_task){.language = judge_language(judge, "attack"), .source = binary};
    if (i % 16 == 5) {
        a->task.language = judge_python(judge);
        a->task.source = judge_slice("print('contained')");
    }
    a->task.tests = &a->test, a->task.n_tests = 1;
    a->task.limits = (r1_judge_limits){0.5, wall, (size_t)128 << 20, 1 << 20, 32};
    r1_judge_begin(judge, &a->task, &a->result);
}
static void judge_leaves_nothing(r1_judge_level level) {
    enum { BATCH = 100 };
    static judge_attack attacks[BATCH];
    r1_judge_desc desc = judge_attack_desc(level);
    size_t size, files = judge_open_files(), memory = 0;
    r1_context *ctx = judge_context(&desc);
    r1_judge *judge = judge_open(ctx);
    char *binary = r1_file_read(ctx, test_path("attacks"), &size);
    for (size_t round = 0; round < 10; round++) {
        for (size_t i = 0; i < BATCH; i++)
            judge_mix_job(&attacks[i], judge, (r1_slice){binary, size}, round * BATCH + i, 0.3);
        for (size_t i = 0; i < BATCH; i++) {
            r1_judge_wait(judge, &attacks[i].result);
            CHECK(attacks[i].result.verdict != R1_JUDGE_SANDBOX_ERROR);
        }
        if (round == 0) memory = judge_memory_of(judge->pid);
    }
    CHECK_EQUAL_SIZE(judge_descendants_soon(1), 1); // the zygote
    printf("zygote: %zu bytes, then %zu\n", memory, judge_memory_of(judge->pid));
    CHECK(judge_memory_of(judge->pid) < memory + (1 << 20));
    r1_context_free(ctx);
    CHECK_EQUAL_SIZE(judge_descendants_soon(0), 0);
    CHECK_EQUAL_SIZE(judge_open_files(), files);
    CHECK(judge_left_in("/tmp") + judge_left_in("/var/tmp") + judge_left_in("/dev/shm") == 0);
}
TEST(judge_leaves_nothing_ns) { judge_leaves_nothing(R1_JUDGE_NS); }
TEST(judge_leaves_nothing_landlock6) { judge_leaves_nothing(R1_JUDGE_LANDLOCK6); }

// A trainer that is killed takes everything with it.
static void judge_killed(r1_judge_level level) {
    enum { BATCH = 8 };
    static judge_attack attacks[BATCH];
    r1_judge_desc desc = judge_attack_desc(level);
    size_t times = test_full() ? 100 : 20, late = 0;
    for (size_t k = 0; k < times; k++) {
        pid_t trainer = fork();
        if (trainer == 0) {
            size_t size;
            r1_context *ctx = judge_context(&desc);
            r1_judge *judge = r1_judge_open(ctx);
            char *binary = r1_file_read(ctx, test_path("attacks"), &size);
            for (size_t i = 0; judge && i < BATCH; i++)
                judge_mix_job(&attacks[i], judge, (r1_slice){binary, size}, i + k, 30);
            for (;;) pause();
        }
        usleep((useconds_t)(k * 15000));
        kill(trainer, SIGKILL);
        late += judge_descendants_soon(0) != 0;
    }
    CHECK_EQUAL_SIZE(late, 0);
    CHECK(judge_left_in("/tmp") + judge_left_in("/var/tmp") + judge_left_in("/dev/shm") == 0);
}
TEST(judge_kill_of_trainer_ns) { judge_killed(R1_JUDGE_NS); }
TEST(judge_kill_of_trainer_landlock6) { judge_killed(R1_JUDGE_LANDLOCK6); }

static void judge_zygote_killed(r1_judge_level level) {
    enum { BATCH = 8 };
    static judge_attack attacks[BATCH];
    r1_judge_desc desc = judge_attack_desc(level);
    size_t size;
    r1_context *ctx = judge_context(&desc);
    r1_judge *judge = judge_open(ctx);
    char *binary = r1_file_read(ctx, test_path("attacks"), &size);
    for (size_t i = 0; i < BATCH; i++)
        judge_mix_job(&attacks[i], judge, (r1_slice){binary, size}, 6, 30); // "drip"
    usleep(300000);
    kill(judge->pid, SIGKILL);
    for (size_t i = 0; i < BATCH; i++) {
        r1_judge_wait(judge, &attacks[i].result);
        CHECK(attacks[i].result.verdict == R1_JUDGE_SANDBOX_ERROR);
    }
    CHECK_EQUAL_SIZE(judge_descendants_soon(0), 0);
    r1_context_free(ctx);
}
TEST(judge_kill_of_zygote_ns) { judge_zygote_killed(R1_JUDGE_NS); }
TEST(judge_kill_of_zygote_landlock6) { judge_zygote_killed(R1_JUDGE_LANDLOCK6); }

// ---- the filter of system calls ----
// What the kernel would do with a filter: its answer to one call.
static uint32_t judge_filter_answer(const r1i_filter *f, uint32_t set, uint32_t call, int argument,
                                    uint32_t value) {
    uint32_t data[16] = {call, set}, x = 0;
    data[4 + 2 * argument] = value;
    for (unsigned at = 0; at < f->n;) {
        const r1i_filter_line *line = &f->lines[at++];
        bool yes = (line->code == R1I_FILTER_IS && x == line->value) ||
                   (line->code == R1I_FILTER_ABOVE && x >= line->value) ||
                   (line->code == R1I_FILTER_BITS && (x & line->value));
        if (line->code == R1I_FILTER_RETURN) return line->value;
        if (line->code == R1I_FILTER_LOAD)
            x = data[line->value / 4];
        else
            at += yes ? line->yes : line->no;
    }
    CHECK(!"the filter ends with an answer");
    return 0;
}
// Every call, against the lists that the tree is made from.
TEST(judge_filter_answers_as_the_lists_say) {
#ifdef __x86_64__
    const uint32_t set = 0xc000003eu, refuse = R1I_FILTER_ERRNO | EPERM;
    for (int k = 0; k < 2 * R1_JUDGE_LEVEL_COUNT; k++) {
        r1_judge_level level = (r1_judge_level)(k / 2);
        bool writes = k % 2, listed[R1I_FILTER_CALLS] = {false}, ruled[R1I_FILTER_CALLS] = {false};
        r1i_filter_plan plan = {.n = 0};
        r1i_filter filter;
        r1i_filter_make(&filter, level, writes);
        for (size_t i = 0; i < sizeof r1i_judge_calls / sizeof *r1i_judge_calls; i++)
            listed[r1i_judge_calls[i]] = true;
        for (size_t i = 0; writes && i < sizeof r1i_judge_writing / sizeof(int); i++)
            listed[r1i_judge_writing[i]] = true;
        listed[SYS_kill] = listed[SYS_tkill] = listed[SYS_tgkill] = level >= R1_JUDGE_LANDLOCK6;
        r1i_filter_arguments(&plan, writes);
        for (int i = 0; i < plan.n; i++) ruled[plan.rules[i].call] = true;
        if (level < R1_JUDGE_LANDLOCK1 && !writes) ruled[SYS_openat] = ruled[SYS_open] = true;
        for (uint32_t call = 0; call < R1I_FILTER_CALLS; call++)
            if (!ruled[call])
                CHECK(judge_filter_answer(&filter, set, call, 0, 0) ==
                      (listed[call] ? R1I_FILTER_ALLOW : refuse));
        for (uint32_t call = R1I_FILTER_CALLS; call < 600; call++)
            CHECK(judge_filter_answer(&filter, set, call, 0, 0) == (R1I_FILTER_ERRNO | ENOSYS));
        CHECK(judge_filter_answer(&filter, set, 0x40000000u, 0, 0) == R1I_FILTER_KILL);
        CHECK(judge_filter_answer(&filter, 0x40000003u, SYS_read, 0, 0) == R1I_FILTER_KILL);
        CHECK(judge_filter_answer(&filter, set, SYS_clone, 0, 0x11) == R1I_FILTER_ALLOW);
        CHECK(judge_filter_answer(&filter, set, SYS_clone, 0, CLONE_NEWUSER) == refuse);
        CHECK(judge_filter_answer(&filter, set, 435, 0, 0) == (R1I_FILTER_ERRNO | ENOSYS));
        CHECK(judge_filter_answer(&filter, set, SYS_mmap, 3, MAP_SHARED) ==
              (writes ? R1I_FILTER_ALLOW : refuse));
        CHECK(judge_filter_answer(&filter, set, SYS_mmap, 3, MAP_PRIVATE) == R1I_FILTER_ALLOW);
        CHECK(judge_filter_answer(&filter, set, SYS_socketpair, 0, AF_INET) == refuse);
    }
#else
    SKIP("the numbers of system calls are those of x86-64");
#endif
}

// ---- the ladder ----
typedef struct judge_denied {
    const char *what;
    int calls[3]; // that an outer filter refuses; 0 = none
    int landlock_abi;
    r1_judge_level min_level, level; // level NONE: refused
} judge_denied;
TEST(judge_level_is_never_lowered_in_silence) {
    static const judge_denied rows[] = {
        {"nothing", {0}, 0, R1_JUDGE_NONE, R1_JUDGE_NS},
        {"unshare", {SYS_unshare}, 0, R1_JUDGE_NONE, R1_JUDGE_LANDLOCK6},
        {"unshare", {SYS_unshare}, 0, R1_JUDGE_NS, R1_JUDGE_NONE},
        {"mount", {SYS_mount}, 0, R1_JUDGE_NONE, R1_JUDGE_LANDLOCK6},
        {"pivot_root", {SYS_pivot_root}, 0, R1_JUDGE_NONE, R1_JUDGE_LANDLOCK6},
        {"mount_setattr", {442}, 0, R1_JUDGE_NONE, R1_JUDGE_LANDLOCK6},
        {"landlock", {444}, 0, R1_JUDGE_NONE, R1_JUDGE_NS},
        {"landlock rules", {445, SYS_unshare}, 0, R1_JUDGE_NONE, R1_JUDGE_NONE},
        {"unshare and landlock", {SYS_unshare, 444}, 0, R1_JUDGE_NONE, R1_JUDGE_NONE},
        {"unshare and landlock", {SYS_unshare, 444}, 0, R1_JUDGE_SECCOMP, R1_JUDGE_SECCOMP},
        {"unshare, old landlock", {SYS_unshare}, 5, R1_JUDGE_NONE, R1_JUDGE_NONE},
        {"unshare, old landlock", {SYS_unshare}, 5, R1_JUDGE_LANDLOCK1, R1_JUDGE_LANDLOCK1},
        {"unshare, oldest landlock", {SYS_unshare}, 1, R1_JUDGE_LANDLOCK1, R1_JUDGE_LANDLOCK1},
        {"seccomp", {SYS_seccomp}, 0, R1_JUDGE_SECCOMP, R1_JUDGE_NONE},
        {"pidfd_open", {434}, 0, R1_JUDGE_NONE, R1_JUDGE_NS},
        {"close_range", {436}, 0, R1_JUDGE_NONE, R1_JUDGE_NS},
        {"memory files", {SYS_memfd_create}, 0, R1_JUDGE_NONE, R1_JUDGE_NS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const judge_denied *row = &rows[i];
        int state;
        pid_t child = fork();
        if (child == 0) {
            r1_judge_desc desc = {.min_level = row->min_level, .landlock_abi = row->landlock_abi};
            r1i_filter filter = {.n = 0};
            r1i_filter_add(&filter, R1I_FILTER_LOAD, 0, 0, 0);
            for (int k = 0; k < 3; k++)
                if (row->calls[k]) {
                    r1i_filter_add(&filter, R1I_FILTER_IS, (uint32_t)row->calls[k], 0, 1);
                    r1i_filter_add(&filter, R1I_FILTER_RETURN, R1I_FILTER_ERRNO | EPERM, 0, 0);
                }
            r1i_filter_add(&filter, R1I_FILTER_RETURN, R1I_FILTER_ALLOW, 0, 0);
            CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && r1i_filter_set(&filter));
            r1_context *ctx = judge_context(&desc);
            r1_judge *judge = r1_judge_open(ctx);
            r1_judge_level level = r1_judge_level_of(judge);
            printf("%s denied: %s | %s | %s\n", row->what, r1_judge_level_name(level),
                   r1_judge_reason(judge), r1_message_of(ctx));
            CHECK(level == row->level);
            CHECK((r1_status_of(ctx) == R1_ERROR_SANDBOX) == (level == R1_JUDGE_NONE));
            // A lower level says why it is not a higher one.
            CHECK(!judge || (r1_judge_reason(judge)[0] == 0) == (level == R1_JUDGE_NS));
            if (judge && row->calls[0] == SYS_memfd_create)
                CHECK(judge_code(judge, "def f(): return 1", "assert f() == 1") ==
                      R1_JUDGE_SANDBOX_ERROR);
            else if (judge)
                CHECK(judge_code(judge, "def f(): return 1", "assert f() == 1") == R1_JUDGE_AC);
            r1_context_free(ctx);
            _exit(0);
        }
        CHECK(waitpid(child, &state, 0) == child);
        if (!WIFEXITED(state) || WEXITSTATUS(state)) test_stop(TEST_FAILED, "%s", test_message);
    }
}
TEST(judge_needs_its_zygote) {
    r1_context *ctx = r1_context_new(NULL);
    CHECK(r1_judge_open(ctx) == NULL && r1_status_of(ctx) == R1_ERROR_SANDBOX);
    r1_error_clear(ctx);
    r1_context_free(ctx);
    ctx = judge_context(NULL); // made and never opened
    r1_context_free(ctx);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    CHECK_EQUAL_SIZE(judge_descendants_soon(0), 0);
}
TEST(judge_misuse_is_no_verdict) {
    r1_context *ctx = judge_context(NULL);
    r1_judge *judge = judge_open(ctx);
    r1_judge_test test = {{"", 0}, {"", 0}};
    r1_judge_result result;
    r1_judge_task tasks[] = {{.language = 99, .tests = &test, .n_tests = 1},
                             {.language = R1_OFF, .tests = &test, .n_tests = 1},
                             {.language = 0, .tests = &test, .n_tests = 0},
                             {.language = 1, .kind = R1_JUDGE_CODE, .tests = &test, .n_tests = 1}};
    for (size_t i = 0; i < 4; i++) {
        CHECK(r1_judge_run(judge, &tasks[i], &result) == R1_JUDGE_SANDBOX_ERROR);
        CHECK(result.message[0] && result.ran == 0);
    }
    CHECK(r1_judge_language_find(judge, judge_slice("C++")) ==
          r1_judge_language_find(judge, judge_slice("cpp")));
    CHECK(r1_judge_language_find(judge, judge_slice("brainf")) == R1_OFF);
    CHECK(r1_judge_language_find(judge, (r1_slice){NULL, 0}) == R1_OFF);
    r1_context_free(ctx);
}
TEST(judge_counts_tests) {
    r1_context *ctx = judge_context(NULL);
    r1_judge *judge = judge_open(ctx);
    r1_judge_test tests[4] = {{judge_slice("1"), judge_slice("2")},
                              {judge_slice("2"), judge_slice("4")},
                              {judge_slice("3"), judge_slice("7")},
                              {judge_slice("4"), judge_slice("8")}};
    r1_judge_outcome outcomes[4];
    char output[8];
    r1_judge_result result;
    r1_judge_task task = {.language = judge_python(judge),
                          .source = judge_slice("print(int(input()) * 2)"),
                          .tests = tests,
                          .n_tests = 4,
                          .outcomes = outcomes,
                          .output = output,
                          .output_bytes = sizeof output};
    CHECK(r1_judge_run(judge, &task, &result) == R1_JUDGE_WA);
    CHECK(result.passed == 2 && result.ran == 3 && result.failed == 2);
    CHECK(result.output_size == 2 && memcmp(output, "6\n", 2) == 0);
    task.all_tests = true;
    CHECK(r1_judge_run(judge, &task, &result) == R1_JUDGE_WA);
    CHECK(result.passed == 3 && result.ran == 4 && result.failed == 2);
    CHECK(outcomes[3].verdict == R1_JUDGE_AC && outcomes[2].verdict == R1_JUDGE_WA);
    CHECK(outcomes[0].cpu_seconds > 0 && outcomes[0].wall_seconds > 0 && outcomes[0].memory_bytes);
    r1_context_free(ctx);
}
TEST(judge_user_language) {
    static const char *const compile[] = {"gcc", "-O1", "-x", "c", "prog.txt", "-o", "prog", NULL};
    static const char *const run[] = {"./prog", "7", NULL}, *const script[] = {"sh", "go.sh", NULL};
    static const char *const nothing[] = {"r1-no-such-program", NULL};
    static const r1_judge_language rows[] = {{"seven", "prog.txt", compile, "prog", run, 0},
                                             {"shell", "go.sh", NULL, NULL, script, 0},
                                             {"none", "x", NULL, NULL, nothing, 0}};
    for (int level = R1_JUDGE_LANDLOCK6; level <= R1_JUDGE_NS; level++) {
        r1_judge_desc desc = {.level = (r1_judge_level)level, .languages = rows, .n_languages = 3};
        r1_context *ctx = judge_context(&desc);
        r1_judge *judge = judge_open(ctx);
        static const char *const sources[] = {
            "#include <stdio.h>\nint main(int n, char **v) { return !puts(v[n - 1]); }",
            "read a; echo $((a + 0))"};
        for (int i = 0; i < 2; i++) {
            r1_judge_test test = {judge_slice("7\n"), judge_slice("7\n")};
            r1_judge_result result;
            r1_judge_task task = {.language = judge_language(judge, rows[i].name),
                                  .source = judge_slice(sources[i]),
                                  .tests = &test,
                                  .n_tests = 1};
            r1_judge_verdict verdict = r1_judge_run(judge, &task, &result);
            printf("%s: %s\n", r1_judge_verdict_name(verdict), result.message);
            CHECK(verdict == R1_JUDGE_AC);
        }
        CHECK(r1_judge_language_find(judge, judge_slice("none")) == R1_OFF);
        r1_context_free(ctx);
    }
}
// What a completion earns for its program, and that "could not judge" never becomes a 0.
TEST(judge_rewards_programs) {
    enum { STDIO, CALL, BROKEN, NONE };
    static const struct {
        const char *completion;
        int program;
        double value;
        bool judged;
    } rows[] = {
        {"<think>t</think>\n```python\nprint(int(input()) * 2)\n```", STDIO, 1, true},
        {"```\nprint(int(input()) * 2)\n```", STDIO, 1, true}, // of the task's language
        {"```sh\nread a; echo $((a * 2))\n```", STDIO, 1, true},
        {"```klingon\nprint(int(input()) * 2)\n```", STDIO, 1, true},
        {"```python\nprint(5)\n```", STDIO, 0, true},
        {"```python\nprint(\n```", STDIO, 0, true},
        {"```python\nprint(int(input()) * 2)", STDIO, 0, true}, // cut off
        {"4", STDIO, 0, true},
        {"<think>```python\nprint(int(input()) * 2)\n```", STDIO, 0, true},
        {"```python\ndef f(a): return a * 2\n```", CALL, 1, true},
        {"```sh\ndef f(a): return a * 2\n```", CALL, 1, true}, // no way out of being judged
        {"```python\ndef f(a): return a\n```", CALL, 0, true},
        {"```python\ndef f(a): return a * 2\n```", BROKEN, 0, false},
        {"```python\ndef f(a): return a * 2\n```", NONE, 0, false},
    };
    static const char *const run[] = {"sh", "main.sh", NULL};
    static const r1_judge_language shell = {"sh", "main.sh", NULL, NULL, run, 0};
    r1_reward_desc desc = {.parts = {r1_reward_find("tests")}};
    r1_context *ctx = judge_context(&(r1_judge_desc){.languages = &shell, .n_languages = 1});
    CHECK(!r1_rewarder_new(ctx, &desc) && r1_status_of(ctx) == R1_ERROR_ARGUMENT); // no judge
    r1_error_clear(ctx);
    r1_judge *judge = desc.judge = judge_open(ctx);
    r1_rewarder *rewarder = r1_rewarder_new(ctx, &desc);
    r1_judge_test tests[] = {{judge_slice("2\n"), judge_slice("4\n")},
                             {judge_slice("[2]"), judge_slice("4")},
                             {judge_slice("[2"), judge_slice("4")}};
    r1_judge_task tasks[3];
    for (int i = 0; i < 3; i++)
        tasks[i] = (r1_judge_task){.language = judge_python(judge),
                                   .kind = i == STDIO ? R1_JUDGE_STDIO : R1_JUDGE_CALL,
                                   .entry = "f",
                                   .tests = &tests[i],
                                   .n_tests = 1};
    for (size_t i = 0; i <= sizeof rows / sizeof *rows; i++) {
        bool last = i == sizeof rows / sizeof *rows; // the first again, when the zygote is gone
        size_t k = last ? 0 : i;
        r1_reward reward;
        r1_reward_input input = {.completion = judge_slice(rows[k].completion)};
        if (rows[k].program != NONE) input.program = &tasks[rows[k].program];
        if (last) kill(judge->pid, SIGKILL);
        r1_reward_text(rewarder, &input, &reward);
        printf("%s: %g %d %s\n", rows[k].completion, reward.total, reward.judged,
               reward.parts[0].reason);
        CHECK(reward.parts[0].reason[0]);
        CHECK(reward.judged == (rows[k].judged && !last));
        CHECK(reward.total == (last ? 0 : rows[k].value));
    }
    r1_context_free(ctx);
}
// A fresh box for each test: what one leaves behind is not there in the next.
// One runner judges all of it, so that every box has the same supervisor.
static void judge_fresh(r1_judge_level level) {
    static const char source[] = "import os\ntry: open('main.py', 'a').write('x')\n"
                                 "except OSError: pass\n"
                                 "print(os.getpid() < 10 or %d, os.listdir('.'), len(os.environ))";
    static const char other[] =
        "#include <stdio.h>\n#include <unistd.h>\n"
        "int main(void) { puts(access(\"main.py\", F_OK) ? \"no\" : \"yes\"); }";
    char text[400];
    r1_context *ctx = judge_context(&(r1_judge_desc){.level = level, .jobs = 1});
    r1_judge *judge = judge_open(ctx);
    snprintf(text, sizeof text, source, level < R1_JUDGE_NS);
    r1_judge_test tests[8], no = {{NULL, 0}, judge_slice("no")};
    for (int i = 0; i < 8; i++)
        tests[i] = (r1_judge_test){
            {NULL, 0}, judge_slice(level < R1_JUDGE_NS ? "1 ['main.py'] 6" : "True ['main.py'] 6")};
    r1_judge_result results[6];
    r1_judge_task python = {
        .language = judge_python(judge), .source = judge_slice(text), .tests = tests, .n_tests = 8};
    r1_judge_task broken = {.language = judge_language(judge, "c"),
                            .source = judge_slice("int main("),
                            .tests = &no,
                            .n_tests = 1};
    r1_judge_task c = broken;
    c.source = judge_slice(other);
    const r1_judge_task *order[] = {&python, &c, &python, &broken, &c, &python};
    for (int i = 0; i < 6; i++) r1_judge_begin(judge, order[i], &results[i]);
    for (int i = 0; i < 6; i++) {
        r1_judge_wait(judge, &results[i]);
        printf("%d: %s %s\n", i, r1_judge_verdict_name(results[i].verdict), results[i].message);
        CHECK(results[i].verdict == (order[i] == &broken ? R1_JUDGE_CE : R1_JUDGE_AC));
    }
    r1_context_free(ctx);
}
TEST(judge_boxes_are_fresh_ns) { judge_fresh(R1_JUDGE_NS); }
TEST(judge_boxes_are_fresh_landlock6) { judge_fresh(R1_JUDGE_LANDLOCK6); }

// ---- what one supervisor does in its life ----
// Its process number, the only child of the zygote; 0 when there is none or there are several.
static pid_t judge_supervisor(r1_judge *judge) {
    char path[64];
    int one = 0, two = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)judge->pid, (int)judge->pid);
    FILE *file = fopen(path, "r");
    int n = file ? fscanf(file, "%d %d", &one, &two) : 0;
    if (file) fclose(file);
    return n == 1 ? one : 0;
}
static size_t judge_files_of(pid_t pid) {
    char path[64];
    size_t n = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *list = opendir(path);
    while (list && readdir(list)) n++;
    if (list) closedir(list);
    return n;
}
// One that is never idle keeps no memory, descriptor or process of the tasks behind it.
static void judge_supervisor_stays_small(r1_judge_level level) {
    enum { AHEAD = 50 };
    static judge_attack jobs[AHEAD];
    static const char *const kinds[] = {"zero_bytes", "stopped_orphans", "daemon", "flood_errors"};
    r1_judge_desc desc = judge_attack_desc(level);
    desc.jobs = 1;
    size_t size, memory = 0, files = 0, all = test_full() ? 2000 : 300;
    r1_context *ctx = judge_context(&desc);
    r1_judge *judge = judge_open(ctx);
    char *binary = r1_file_read(ctx, test_path("attacks"), &size);
    pid_t first = 0;
    for (size_t i = 0; i < all + AHEAD; i++) {
        judge_attack *a = &jobs[i % AHEAD];
        if (i >= AHEAD) {
            r1_judge_wait(judge, &a->result);
            CHECK(a->result.verdict != R1_JUDGE_SANDBOX_ERROR);
        }
        if (i == 2 * AHEAD) {
            CHECK((first = judge_supervisor(judge)) > 0);
            memory = judge_memory_of(first), files = judge_files_of(first);
        }
        if (i == all) { // while it still has work
            CHECK_EQUAL_SIZE((size_t)judge_supervisor(judge), (size_t)first);
            printf("memory %zu, then %zu; files %zu, then %zu\n", memory, judge_memory_of(first),
                   files, judge_files_of(first));
            CHECK(judge_memory_of(first) < memory + (4 << 20));
            CHECK(judge_files_of(first) < files + 12 && files < 40); // of the box at work
            CHECK(judge_descendants_soon(2 + 5 + 20) <= 2 + 5 + 20); // reapers on their way, a box
        }
        if (i >= all) continue;
        snprintf(a->input, sizeof a->input, "%s %d 1 1 /x /x\n", kinds[i % 4], (int)getpid());
        a->test = (r1_judge_test){judge_slice(a->input), judge_slice("contained\n")};
        a->task = (r1_judge_task){.language = judge_language(judge, "attack"),
                                  .source = {binary, size},
                                  .tests = &a->test,
                                  .n_tests = 1,
                                  .limits = {1, 10, (size_t)128 << 20, (1 + i % 3) << 18, 32}};
        r1_judge_begin(judge, &a->task, &a->result);
    }
    r1_context_free(ctx);
    CHECK_EQUAL_SIZE(judge_descendants_soon(0), 0);
}
TEST(judge_supervisor_stays_small_ns) { judge_supervisor_stays_small(R1_JUDGE_NS); }
TEST(judge_supervisor_stays_small_landlock6) { judge_supervisor_stays_small(R1_JUDGE_LANDLOCK6); }

// A supervisor that is killed costs no verdict: its task goes to another one.
static void judge_supervisor_killed(r1_judge_level level) {
    enum { TASKS = 12 };
    r1_context *ctx = judge_context(&(r1_judge_desc){.level = level, .jobs = 1});
    r1_judge *judge = judge_open(ctx);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    r1_judge_test test = {{NULL, 0}, judge_slice("7")};
    r1_judge_task tasks[TASKS];
    r1_judge_result results[TASKS];
    int killed = 0;
    for (int i = 0; i < TASKS; i++) {
        bool c = i % 2;
        tasks[i] =
            (r1_judge_task){.language = c ? judge_language(judge, "c") : judge_python(judge),
                            .source = judge_slice(c ? "#include <stdio.h>\n"
                                                      "int main(void) { puts(\"7\"); }"
                                                    : "import time\ntime.sleep(.1)\nprint(7)"),
                            .tests = &test,
                            .n_tests = 1};
        r1_judge_begin(judge, &tasks[i], &results[i]);
    }
    for (int i = 0; i < TASKS; i++) {
        usleep(30000); // a box is at work, or a compiler
        pid_t supervisor = i % 3 ? 0 : judge_supervisor(judge);
        if (supervisor > 0) killed += kill(supervisor, SIGKILL) == 0;
        r1_judge_wait(judge, &results[i]);
        CHECK(results[i].verdict == R1_JUDGE_AC);
    }
    printf("%d supervisors killed\n", killed);
    CHECK(killed > 1);
    r1_context_free(ctx);
    CHECK_EQUAL_SIZE(judge_descendants_soon(0), 0);
    CHECK(judge_left_in("/tmp") + judge_left_in("/var/tmp") + judge_left_in("/dev/shm") == 0);
}
TEST(judge_supervisor_killed_ns) { judge_supervisor_killed(R1_JUDGE_NS); }
TEST(judge_supervisor_killed_landlock6) { judge_supervisor_killed(R1_JUDGE_LANDLOCK6); }

// A child of the trainer has copies of its sockets; nothing may wait for that child.
TEST(judge_ends_beside_other_children) {
    r1_context *ctx = judge_context(NULL);
    r1_judge *judge = judge_open(ctx);
    r1_judge_test test = {{NULL, 0}, judge_slice("7")};
    r1_judge_task task = {.language = judge_python(judge),
                          .source = judge_slice("print(7)"),
                          .tests = &test,
                          .n_tests = 1};
    r1_judge_result result;
    CHECK(r1_judge_run(judge, &task, &result) == R1_JUDGE_AC);
    pid_t child = fork(); // its supervisor is idle and still connected
    if (child == 0)
        for (;;) pause();
    alarm(20); // or the test would wait as well
    r1_context_free(ctx);
    alarm(0);
    kill(child, SIGKILL);
    CHECK(waitpid(child, NULL, 0) == child);
}
// Where a program is put into a folder, a full disk must not make it a wrong one.
TEST(judge_full_disk_is_no_verdict) {
    static char source[200000];
    if (unshare(CLONE_NEWNS) != 0) SKIP("root: a small disk cannot be mounted");
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    const char *const places[] = {P_tmpdir, "/dev/shm"};
    for (int i = 0; i < 2; i++)
        if (mount("small", places[i], "tmpfs", 0, "size=64k,mode=1777") != 0)
            SKIP("root: a small disk cannot be mounted");
    r1_context *ctx = judge_context(&(r1_judge_desc){.level = R1_JUDGE_LANDLOCK6, .jobs = 1});
    r1_judge *judge = judge_open(ctx);
    r1_judge_test test = {{NULL, 0}, judge_slice("7")};
    r1_judge_task task = {.language = judge_python(judge), .tests = &test, .n_tests = 1};
    r1_judge_result result;
    for (int i = 0; i < 4; i++) { // the large ones do not fit, in Python and as a C source
        bool large = i > 0 && i < 3;
        memset(source, '\n', sizeof source);
        if (i == 2) task.language = judge_language(judge, "c");
        if (i == 3) task.language = judge_python(judge);
        snprintf(source + (large ? sizeof source - 20 : 0), 20, "%s",
                 i == 2 ? "int main(){}" : "print(7)");
        task.source = (r1_slice){source, large ? sizeof source - 8 : 8};
        r1_judge_run(judge, &task, &result);
        printf("%s %s\n", r1_judge_verdict_name(result.verdict), result.message);
        CHECK(result.verdict == (large ? R1_JUDGE_SANDBOX_ERROR : R1_JUDGE_AC));
    }
    r1_context_free(ctx);
    CHECK(judge_left_in(P_tmpdir) + judge_left_in("/dev/shm") == 0);
}
#endif // R1_NO_JUDGE
