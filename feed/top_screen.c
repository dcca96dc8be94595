/* ncurses.
 *
 * See top_screen.h. The library reads its description of the terminal when the screen is opened,
 * before files are closed off. Text may hold names from the wire: those were made printable when
 * they were read, and whatever is still not printable here is shown as "?". Deliberately knows
 * nothing of what is shown. */
#define NCURSES_WIDECHAR 1
#include "top_screen.h"

#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include <ncurses.h>

enum { LINE_MAX_COLUMNS = 512, ESCAPE_KEY_MS = 25 };

static SCREEN *screen;
static bool is_unicode, is_coloured;

bool top_screen_open(bool has_colour, bool has_unicode, struct fault *fault)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return fault_set(fault, "--top needs a terminal; elsewhere use --json-lines or --metrics");
    setlocale(LC_CTYPE, ""); /* which characters the terminal takes, and how wide they are */
    is_unicode = has_unicode && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    screen = newterm(NULL, stdout, stdin);
    if (!screen)
        return fault_set(fault, "--top: this terminal is not known here; set TERM, for example to "
                                "xterm");
    set_term(screen);
    signal(SIGTSTP, SIG_IGN); /* a stopped program captures nothing */
    cbreak();
    noecho();
    nonl();
    curs_set(0);
    set_escdelay(ESCAPE_KEY_MS);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    is_coloured = has_colour && has_colors() && start_color() == OK;
    if (is_coloured) {
        use_default_colors();
        init_pair(TOP_GOOD, COLOR_GREEN, -1);
        init_pair(TOP_WARN, COLOR_YELLOW, -1);
        init_pair(TOP_BAD, COLOR_RED, -1);
    }
    return true;
}

void top_screen_close(void)
{
    if (!screen)
        return;
    endwin();
    delscreen(screen);
    screen = NULL;
}

unsigned top_screen_width(void)
{
    return COLS > 0 ? (unsigned)COLS : 0;
}

unsigned top_screen_height(void)
{
    return LINES > 0 ? (unsigned)LINES : 0;
}

void top_screen_begin(void)
{
    erase();
}

void top_screen_end(void)
{
    refresh();
}

void top_screen_redraw(void)
{
    clearok(curscr, TRUE);
}

/* ---- text ---- */

/* The character at `text` and its columns; its bytes. One that cannot be shown is "?". */
static size_t next_character(const char *text, wchar_t *character, unsigned *columns)
{
    mbstate_t state = {0};
    size_t size = 1;
    *character = (unsigned char)*text;
    *columns = 1;
    if ((unsigned char)*text >= 0x80) {
        size = mbrtowc(character, text, strlen(text), &state);
        if (size == (size_t)-1 || size == (size_t)-2 || size == 0) {
            *character = L'?';
            return 1;
        }
    }
    int width = is_unicode || *character < 0x80 ? wcwidth(*character) : -1;
    if (width < 1 || width > 2)
        *character = L'?';
    else
        *columns = (unsigned)width;
    return size;
}

unsigned top_screen_columns(const char *text)
{
    unsigned sum = 0, columns;
    wchar_t character;
    while (*text) {
        text += next_character(text, &character, &columns);
        sum += columns;
    }
    return sum;
}

size_t top_screen_fit(const char *text, unsigned width)
{
    unsigned used = 0, columns;
    wchar_t character;
    size_t at = 0, blank = 0;
    while (text[at]) {
        size_t size = next_character(text + at, &character, &columns);
        if (used + columns > width)
            return blank ? blank : at ? at : size;
        used += columns;
        at += size;
        if (text[at] == ' ')
            blank = at;
    }
    return at;
}

/* A line of at most LINE_MAX_COLUMNS. */
static void put_line(const char *text, unsigned width, bool is_right)
{
    wchar_t line[LINE_MAX_COLUMNS + 1], character;
    unsigned used = 0, columns, length = 0;
    unsigned all = is_right ? top_screen_columns(text) : width;
    for (; all < width; all++, used++)
        line[length++] = L' ';
    while (*text) {
        text += next_character(text, &character, &columns);
        if (used + columns > width)
            break;
        line[length++] = character;
        used += columns;
    }
    for (; used < width; used++)
        line[length++] = L' ';
    addnwstr(line, (int)length);
}

static attr_t attributes_of(enum top_tone tone, unsigned style)
{
    attr_t attributes = A_NORMAL;
    if (style & TOP_BOLD || (!is_coloured && tone == TOP_BAD))
        attributes |= A_BOLD;
    if (style & TOP_REVERSE)
        attributes |= A_REVERSE;
    if (style & TOP_UNDERLINE)
        attributes |= A_UNDERLINE;
    if (tone == TOP_DIM)
        attributes |= A_DIM;
    return attributes;
}

void top_screen_put(unsigned line, unsigned column, unsigned width, const char *text,
                    enum top_tone tone, unsigned style, bool is_right)
{
    bool has_pair = is_coloured && (tone == TOP_GOOD || tone == TOP_WARN || tone == TOP_BAD);
    if (line >= top_screen_height() || column >= top_screen_width())
        return;
    if (width > top_screen_width() - column)
        width = top_screen_width() - column;
    if (width > LINE_MAX_COLUMNS)
        width = LINE_MAX_COLUMNS;
    attr_set(attributes_of(tone, style), (short)(has_pair ? tone : 0), NULL);
    move((int)line, (int)column);
    put_line(text, width, is_right);
    attr_set(A_NORMAL, 0, NULL);
}

/* ---- keys ---- */

int top_screen_key(void)
{
    static const struct {
        int code;
        enum top_key key;
    } keys[] = {{KEY_UP, TOP_KEY_UP},         {KEY_DOWN, TOP_KEY_DOWN},
                {KEY_PPAGE, TOP_KEY_PAGE_UP}, {KEY_NPAGE, TOP_KEY_PAGE_DOWN},
                {KEY_HOME, TOP_KEY_HOME},     {KEY_END, TOP_KEY_END},
                {KEY_LEFT, TOP_KEY_LEFT},     {KEY_RIGHT, TOP_KEY_RIGHT},
                {KEY_BTAB, TOP_KEY_BACK_TAB}, {KEY_BACKSPACE, TOP_KEY_BACKSPACE},
                {KEY_RESIZE, TOP_KEY_RESIZE}, {KEY_ENTER, (enum top_key)'\n'}};
    int code = getch();
    if (code == ERR)
        return TOP_KEY_NONE;
    if (code == '\r')
        return '\n';
    if (code == 127 || code == 8)
        return TOP_KEY_BACKSPACE;
    if (code > 0 && code < 256)
        return code;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].code == code)
            return (int)keys[i].key;
    return TOP_KEY_OTHER;
}

bool top_screen_is_gone(void)
{
    struct pollfd terminal = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&terminal, 1, 0) > 0 && terminal.revents & (POLLHUP | POLLERR | POLLNVAL);
}
