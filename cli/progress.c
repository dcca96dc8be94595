/* A progress bar with rate and time left, on a terminal.
 *
 * Fed by cli/analyze.c about every MiB; draws at most ten times a second. Nothing at all is
 * written where standard error is not a terminal. */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/now.h"

enum { BAR_CELLS = 24 };

struct progress progress_begin(bool wanted)
{
    return (struct progress){.begun_ns = now_monotonic_ns(),
                             .is_on = wanted && isatty(STDERR_FILENO)};
}

static void draw_bar(char bar[BAR_CELLS + 1], uint64_t done, uint64_t total)
{
    size_t filled = (size_t)((double)done / (double)total * BAR_CELLS);
    memset(bar, '.', BAR_CELLS);
    memset(bar, '#', filled < BAR_CELLS ? filled : BAR_CELLS);
    bar[BAR_CELLS] = '\0';
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total, uint64_t frames)
{
    if (!progress->is_on)
        return;
    int64_t now_ns = now_monotonic_ns();
    if (now_ns - progress->shown_ns < 100 * NS_PER_MS)
        return;
    progress->shown_ns = now_ns;
    progress->is_drawn = true;
    double seconds = (double)(now_ns - progress->begun_ns) / NS_PER_S;
    double mib = (double)done / (1 << 20);
    double rate = seconds > 0 ? mib / seconds : 0;
    if (total == 0) {
        fprintf(stderr, "\r\033[K%.0f MiB, %llu packets, %.0f MiB/s", mib,
                (unsigned long long)frames, rate);
        return;
    }
    char bar[BAR_CELLS + 1];
    char left[DURATION_TEXT_SIZE];
    draw_bar(bar, done, total);
    double left_s = done ? seconds * ((double)total / (double)done - 1) : 0;
    fprintf(stderr, "\r\033[K[%s] %3.0f %%  %llu packets  %.0f MiB/s  %s left", bar,
            100.0 * (double)done / (double)total, (unsigned long long)frames, rate,
            duration_text((int64_t)left_s * NS_PER_S, left));
}

void progress_end(struct progress *progress)
{
    if (progress->is_drawn)
        fputs("\r\033[K", stderr);
    progress->is_drawn = false;
}
