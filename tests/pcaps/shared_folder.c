/* A folder of other people's captures. They are met where they lie and never copied: each has a
 * licence of its own. */
#include "shared_folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LINE_SIZE = 4096, PACKETS_COLUMN = 4 };

const char *shared_folder(void)
{
    static char folder[SHARED_PATH_SIZE];
    struct stat status;
    const char *given = getenv("APNSCOPE_SHARED_PCAPS");
    snprintf(folder, sizeof folder, "%s", given ? given : TEST_SOURCE_DIR "/../shared/pcaps");
    return stat(folder, &status) == 0 && S_ISDIR(status.st_mode) ? folder : NULL;
}

static int is_wanted(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && strcmp(entry->d_name, "INDEX.md") != 0;
}

static size_t walk(const char *folder, void (*each)(const char *path))
{
    struct dirent **entries;
    size_t files = 0;
    int count = scandir(folder, &entries, is_wanted, alphasort);
    for (int i = 0; i < count; i++) {
        char path[SHARED_PATH_SIZE];
        struct stat status;
        int length = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        free(entries[i]);
        if (length >= SHARED_PATH_SIZE || stat(path, &status) != 0)
            continue;
        if (S_ISDIR(status.st_mode)) {
            files += walk(path, each);
            continue;
        }
        each(path);
        files++;
    }
    if (count >= 0)
        free(entries);
    return files;
}

size_t shared_files(const char *name, void (*each)(const char *path))
{
    char folder[SHARED_PATH_SIZE];
    const char *root = shared_folder();
    if (!root || snprintf(folder, sizeof folder, "%s/%s", root, name) >= SHARED_PATH_SIZE)
        return 0;
    return walk(folder, each);
}

/* "| name | source | licence | packets | ..." */
static bool read_row(char *line, const char *name, uint64_t *packets)
{
    char *rest = line;
    char *cell = strsep(&rest, "|");
    char *end;
    for (int column = 1; rest && column <= PACKETS_COLUMN; column++) {
        cell = strsep(&rest, "|");
        size_t length = strlen(name);
        if (column == 1 && (strncmp(cell + 1, name, length) != 0 || cell[1 + length] != ' '))
            return false;
    }
    if (!rest)
        return false;
    *packets = strtoull(cell, &end, 10);
    return end != cell && *packets > 0;
}

bool shared_packet_count(const char *path, uint64_t *packets)
{
    char index[SHARED_PATH_SIZE + 16], line[LINE_SIZE];
    const char *slash = strrchr(path, '/');
    bool found = false;
    snprintf(index, sizeof index, "%.*s/INDEX.md", (int)(slash - path), path);
    FILE *file = fopen(index, "r");
    while (file && !found && fgets(line, sizeof line, file))
        if (strncmp(line, "| ", 2) == 0)
            found = read_row(line, slash + 1, packets);
    if (file)
        fclose(file);
    return found;
}
