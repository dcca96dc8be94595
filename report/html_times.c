/* How long sessions live and how fast they are answered: two histograms.
 *
 * A section of the HTML writer, of sessions that worked. A network that cuts idle sessions shows as
 * a heap of cut ones at one age; a box that answers in Apple's name as TCP answers far quicker than
 * TLS ones. Deliberately has few and fixed classes, so that two reports compare. */
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/text.h"
#include "html_picture.h"

enum { WIDTH = 520, HEIGHT = 250, LEFT = 40, RIGHT = 512, TOP = 20, FLOOR = 200, KINDS_MAX = 4 };

struct histogram {
    const char *id, *name;
    size_t bucket_count, kind_count;
    const char *const *bucket_labels;
    const char *kind_words[KINDS_MAX];
    const char *kind_classes[KINDS_MAX];
    const uint64_t *values; /* by bucket, then kind */
    bool is_stacked;        /* else side by side */
};

static uint64_t value_at(const struct histogram *histogram, size_t bucket, size_t kind)
{
    return histogram->values[bucket * histogram->kind_count + kind];
}

static uint64_t sum_at(const struct histogram *histogram, size_t bucket)
{
    uint64_t sum = 0;
    for (size_t kind = 0; kind < histogram->kind_count; kind++)
        sum += value_at(histogram, bucket, kind);
    return sum;
}

static uint64_t highest(const struct histogram *histogram)
{
    uint64_t most = 0;
    for (size_t bucket = 0; bucket < histogram->bucket_count; bucket++)
        for (size_t kind = 0; kind < histogram->kind_count; kind++) {
            uint64_t value = histogram->is_stacked ? sum_at(histogram, bucket)
                                                   : value_at(histogram, bucket, kind);
            most = value > most ? value : most;
        }
    return most;
}

static void say_histogram(const struct histogram *histogram, char words[PICTURE_WORDS_SIZE])
{
    struct text out = text_over(words, PICTURE_WORDS_SIZE);
    for (size_t bucket = 0; bucket < histogram->bucket_count; bucket++) {
        if (!sum_at(histogram, bucket))
            continue;
        text_format(&out, "%s%s:", out.length ? "; " : "", histogram->bucket_labels[bucket]);
        for (size_t kind = 0; kind < histogram->kind_count; kind++)
            if (value_at(histogram, bucket, kind))
                text_format(&out, " %s %s", DIGITS(value_at(histogram, bucket, kind)),
                            histogram->kind_words[kind]);
    }
    text_add(&out, ".");
}

static void put_bar(FILE *out, const char *kind, int x, int y, int width, int height)
{
    if (height > 0)
        html_print(out, "<rect class=\"bar %s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>",
                   kind, x, y, width, height);
}

static int height_of(uint64_t value, uint64_t most)
{
    if (!value || !most)
        return 0;
    int height = (int)((double)value / (double)most * (FLOOR - TOP));
    return height < 2 ? 2 : height;
}

static void put_bucket(FILE *out, const struct histogram *histogram, size_t bucket, uint64_t most)
{
    int slot = (RIGHT - LEFT) / (int)histogram->bucket_count;
    int x = LEFT + slot * (int)bucket + 4, y = FLOOR;
    int width = (slot - 8) / (histogram->is_stacked ? 1 : (int)histogram->kind_count);
    for (size_t kind = 0; kind < histogram->kind_count; kind++) {
        int height = height_of(value_at(histogram, bucket, kind), most);
        if (histogram->is_stacked)
            y -= height;
        put_bar(out, histogram->kind_classes[kind],
                histogram->is_stacked ? x : x + width * (int)kind,
                histogram->is_stacked ? y : FLOOR - height, width, height);
        if (!histogram->is_stacked && height)
            html_picture_text(out, "value", x + width * (int)kind + width / 2, FLOOR - height - 4,
                              "middle", DIGITS(value_at(histogram, bucket, kind)));
    }
    if (histogram->is_stacked && sum_at(histogram, bucket))
        html_picture_text(out, "value", x + width / 2, y - 4, "middle",
                          DIGITS(sum_at(histogram, bucket)));
    html_print(out, "<text class=\"axis\" transform=\"translate(%d %d) rotate(-32)\" ",
               x + (slot - 8) / 2 + 6, FLOOR + 16);
    html_print(out, "text-anchor=\"end\">%s</text>\n", histogram->bucket_labels[bucket]);
}

static void put_legend(FILE *out, const struct histogram *histogram)
{
    fputs("<ul class=\"legend\">", out);
    for (size_t kind = 0; kind < histogram->kind_count; kind++)
        html_print(out,
                   "<li><svg class=\"pic\" width=\"14\" height=\"14\" aria-hidden=\"true\">"
                   "<rect class=\"bar %s\" x=\"1\" y=\"1\" width=\"12\" height=\"12\"/></svg> "
                   "%s</li>",
                   histogram->kind_classes[kind], histogram->kind_words[kind]);
    fputs("</ul>\n", out);
}

static void put_histogram(FILE *out, const struct histogram *histogram)
{
    static char words[PICTURE_WORDS_SIZE];
    uint64_t most = highest(histogram);
    if (!most)
        return;
    say_histogram(histogram, words);
    html_print(out, "<figure><figcaption>%s</figcaption>", histogram->name);
    put_legend(out, histogram);
    html_picture_begin(out, histogram->id, "histogram", WIDTH, HEIGHT, histogram->name, words);
    html_print(out, "<path class=\"tick\" d=\"M%d %dH%d\"/>\n", LEFT, FLOOR, RIGHT);
    for (size_t bucket = 0; bucket < histogram->bucket_count; bucket++)
        put_bucket(out, histogram, bucket, most);
    html_picture_end(out);
    fputs("</figure>\n", out);
}

static void put_silences(FILE *out, const struct figures *figures)
{
    const struct histogram silences = {
        .id = "silences-picture",
        .name = "How long sessions were silent, and what became of it",
        .bucket_count = FIGURE_SILENCES,
        .kind_count = SILENCE_COUNT,
        .bucket_labels = figure_silence_labels,
        .kind_words = {"longest silence that a session survived", "silence that a session died of"},
        .kind_classes = {"b-good", "b-bad"},
        .values = &figures->silences[0][0]};
    put_histogram(out, &silences);
}

/* Between the longest silence that was survived and the shortest that was not lies the timer. */
static void put_timer(FILE *out, const struct figures *figures)
{
    char survived[DURATION_TEXT_SIZE], lethal[DURATION_TEXT_SIZE];
    duration_text(figures->longest_survived_s * NS_PER_S, survived);
    duration_text(figures->shortest_lethal_s * NS_PER_S, lethal);
    if (figures->shortest_lethal_s)
        html_print(out,
                   "<p class=\"note\">The shortest silence that a session died of: %s; the longest "
                   "that one survived: %s. A timer on the way would lie at the former or a little "
                   "below.</p>\n",
                   lethal, figures->longest_survived_s ? survived : "none of a minute or more");
    else if (figures->longest_survived_s)
        html_print(out,
                   "<p class=\"note\">The longest silence that a session survived: %s. No session "
                   "died of silence.</p>\n",
                   survived);
}

bool html_has_times(const struct view *view)
{
    return view->by_heap[HEAP_WORKED] > 0;
}

void html_times(FILE *out, const struct view *view)
{
    const struct histogram lives = {
        .id = "lives-picture",
        .name = "How long sessions lasted, and how they ended",
        .bucket_count = FIGURE_LIVES,
        .kind_count = LIFE_END_COUNT,
        .bucket_labels = figure_life_labels,
        .kind_words = {figure_life_end_words[LIFE_CLIENT], figure_life_end_words[LIFE_SERVER],
                       figure_life_end_words[LIFE_CUT], figure_life_end_words[LIFE_OPEN]},
        .kind_classes = {"b-good", "b-quiet", "b-bad", "b-open"},
        .values = &view->figures.lives[0][0],
        .is_stacked = true};
    const struct histogram delays = {.id = "delays-picture",
                                     .name = "How fast the server's side answered",
                                     .bucket_count = FIGURE_DELAYS,
                                     .kind_count = DELAY_COUNT,
                                     .bucket_labels = figure_delay_labels,
                                     .kind_words = {"SYN to SYN-ACK", "ClientHello to ServerHello"},
                                     .kind_classes = {"b-good", "b-open"},
                                     .values = &view->figures.delays[0][0]};
    if (!html_has_times(view))
        return;
    fputs("<section id=\"times\" aria-labelledby=\"times-title\"><h2 id=\"times-title\">Session "
          "life and answer times</h2>\n<div class=\"pair\">\n",
          out);
    put_histogram(out, &lives);
    put_silences(out, &view->figures);
    put_histogram(out, &delays);
    fputs("</div>\n", out);
    put_timer(out, &view->figures);
    fputs("<p class=\"note\">Of sessions that worked; those that began before the capture "
          "count from where they were first seen. A session cut at one and the same age again and "
          "again points to a timer on the way; SYN-ACKs that come much sooner than ServerHellos to "
          "a box that answers in Apple's name.</p>\n</section>\n",
          out);
}
