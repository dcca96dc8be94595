/* Liveness of another process, from /proc.
 *
 * A process number alone proves nothing: numbers are reused, and begin anew with every boot and
 * every container. Rests on proc(5): field 22 of stat is the start time in clock ticks since boot.
 * A database on a file system shared by two machines would prove it wrong, and SQLite's log does
 * not work there either. */
#include "process_mark.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct mark {
    char boot[40];
    char space[40];
    long id;
    unsigned long long started; /* 0: not known */
};

/* The process's start time; 0 where it cannot be read. */
static unsigned long long start_time(long id)
{
    char path[48], line[1024];
    unsigned long long started = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", id);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    size_t size = fread(line, 1, sizeof line - 1, file);
    line[size] = '\0';
    fclose(file);
    /* The second field is the name in parentheses and may hold anything; count from its end. */
    char *at = strrchr(line, ')');
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (at && sscanf(at, "%llu", &started) != 1)
        started = 0;
    return started;
}

static struct mark own_mark(void)
{
    struct mark mark = {.boot = "?", .space = "?", .id = (long)getpid()};
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file) {
        if (fscanf(file, "%39s", mark.boot) != 1)
            strcpy(mark.boot, "?");
        fclose(file);
    }
    ssize_t size = readlink("/proc/self/ns/pid", mark.space, sizeof mark.space - 1);
    if (size > 0)
        mark.space[size] = '\0';
    mark.started = start_time(mark.id);
    return mark;
}

void process_mark(char text[PROCESS_MARK_SIZE])
{
    struct mark mark = own_mark();
    snprintf(text, PROCESS_MARK_SIZE, "%s %s %ld %llu", mark.boot, mark.space, mark.id,
             mark.started);
}

bool process_mark_is_alive(const char *text)
{
    struct mark own = own_mark(), mark;
    if (!text ||
        sscanf(text, "%39s %39s %ld %llu", mark.boot, mark.space, &mark.id, &mark.started) != 4)
        return false;
    if (strcmp(mark.boot, own.boot) != 0)
        return false;
    if (strcmp(mark.space, own.space) != 0)
        return true;
    unsigned long long started = start_time(mark.id);
    return started != 0 && started == mark.started;
}
