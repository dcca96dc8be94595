/* Runs a fuzz target without a fuzzer: `fuzz_x MUTATIONS CORPUS`.
 *
 * Feeds the target every file of the corpus folder, then mutations of each: cut short, bits
 * flipped, bytes set to edge values, runs of bytes removed and repeated. The generator's seed is
 * fixed, so that a failure is met again in the next run. Does not look for new paths; that is what
 * libFuzzer is for. */
#include <assert.h>
#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { INPUT_MAX = 1 << 20, PATH_SIZE = 1024, EDITS_MAX = 4 };

struct input {
    uint8_t bytes[INPUT_MAX];
    size_t size;
};

static struct input seed, mutant;
static uint64_t random_state;

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators" (2016). */
static uint64_t random_next(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(2685821657736338717);
}

static size_t random_below(size_t bound)
{
    return bound ? (size_t)(random_next() % bound) : 0;
}

/* In memory of exactly its size, so that a sanitizer sees the first byte read too far. */
static void feed(const struct input *input)
{
    uint8_t *copy = malloc(input->size ? input->size : 1);
    assert(copy);
    memcpy(copy, input->bytes, input->size);
    (void)LLVMFuzzerTestOneInput(copy, input->size);
    free(copy);
}

/* ---- mutations ---- */

static void cut(struct input *input)
{
    input->size = random_below(input->size);
}

static void flip_bit(struct input *input)
{
    input->bytes[random_below(input->size)] ^= (uint8_t)(1U << random_below(8));
}

/* The values at which lengths and counters go wrong. */
static void set_edge(struct input *input)
{
    static const uint8_t edges[] = {0x00, 0x01, 0x7f, 0x80, 0xc0, 0xfe, 0xff};
    input->bytes[random_below(input->size)] = edges[random_below(sizeof edges)];
}

static void remove_run(struct input *input)
{
    size_t at = random_below(input->size);
    size_t left = input->size - at;
    size_t run = 1 + random_below(left < 64 ? left : 64);
    memmove(input->bytes + at, input->bytes + at + run, left - run);
    input->size -= run;
}

static void repeat_run(struct input *input)
{
    size_t at = random_below(input->size);
    size_t left = input->size - at;
    size_t run = 1 + random_below(left < 64 ? left : 64);
    if (input->size + run > INPUT_MAX)
        return;
    memmove(input->bytes + at + run, input->bytes + at, left);
    input->size += run;
}

static void mutate(struct input *input)
{
    static void (*const edits[])(struct input *) = {cut,      flip_bit,   flip_bit, flip_bit,
                                                    set_edge, remove_run, repeat_run};
    size_t count = 1 + random_below(EDITS_MAX);
    for (size_t i = 0; i < count && input->size; i++)
        edits[random_below(sizeof edits / sizeof *edits)](input);
}

/* ---- the corpus ---- */

static bool read_seed(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return false;
    }
    seed.size = fread(seed.bytes, 1, sizeof seed.bytes, file);
    bool whole = feof(file) && !ferror(file);
    fclose(file);
    if (!whole)
        fprintf(stderr, "%s: longer than %d bytes, or not readable\n", path, INPUT_MAX);
    return whole;
}

static bool replay_seed(const char *path, unsigned long mutations)
{
    if (!read_seed(path))
        return false;
    random_state = UINT64_C(0x9e3779b97f4a7c15);
    feed(&seed);
    for (unsigned long i = 0; i < mutations; i++) {
        memcpy(mutant.bytes, seed.bytes, seed.size);
        mutant.size = seed.size;
        mutate(&mutant);
        feed(&mutant);
    }
    return true;
}

static int is_seed(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* In the order of names: the same on every machine. */
static bool replay_folder(const char *folder, unsigned long mutations)
{
    struct dirent **entries;
    char path[PATH_SIZE];
    int count = scandir(folder, &entries, is_seed, alphasort);
    if (count <= 0) {
        fprintf(stderr, "%s: no seeds\n", folder);
        return false;
    }
    bool good = true;
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        good = replay_seed(path, mutations) && good;
        free(entries[i]);
    }
    free(entries);
    printf("%d seeds, %lu mutations of each\n", count, mutations);
    return good;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s MUTATIONS CORPUS\n", argv[0]);
        return 2;
    }
    (void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    return replay_folder(argv[2], strtoul(argv[1], NULL, 10)) ? 0 : 1;
}
