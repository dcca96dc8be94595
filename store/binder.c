/* Binding of values, with the last value of each parameter remembered. */
#include "binder.h"

#include <assert.h>
#include <string.h>

int binder_open(struct binder *binder, sqlite3 *database, const char *sql)
{
    memset(binder, 0, sizeof *binder);
    int result =
        sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &binder->statement, NULL);
    binder->next = 1;
    binder->result = SQLITE_OK;
    if (result == SQLITE_OK) {
        assert(sqlite3_bind_parameter_count(binder->statement) <= BINDER_PARAMETERS_MAX);
        for (int i = 0; i < BINDER_PARAMETERS_MAX; i++)
            binder->bound[i].what = BOUND_NULL; /* as SQLite begins */
    }
    return result;
}

void binder_close(struct binder *binder)
{
    sqlite3_finalize(binder->statement);
    binder->statement = NULL;
}

/* The next parameter. */
static struct bound *take(struct binder *binder)
{
    assert(binder->next <= BINDER_PARAMETERS_MAX);
    return &binder->bound[binder->next++ - 1];
}

static void note(struct binder *binder, int result)
{
    if (result != SQLITE_OK && binder->result == SQLITE_OK)
        binder->result = result;
}

static void make_null(struct binder *binder, struct bound *bound)
{
    if (bound->what == BOUND_NULL)
        return;
    bound->what = BOUND_NULL;
    note(binder, sqlite3_bind_null(binder->statement, binder->next - 1));
}

static void make_text(struct binder *binder, const char *text, size_t length)
{
    note(binder,
         sqlite3_bind_text(binder->statement, binder->next - 1, text, (int)length, SQLITE_STATIC));
}

void bind_integer(struct binder *binder, int64_t value)
{
    struct bound *bound = take(binder);
    if (bound->what == BOUND_INTEGER && bound->integer == value)
        return;
    if (value == INT64_MIN) {
        make_null(binder, bound);
        return;
    }
    bound->what = BOUND_INTEGER;
    bound->integer = value;
    note(binder, sqlite3_bind_int64(binder->statement, binder->next - 1, value));
}

void bind_text(struct binder *binder, const char *text)
{
    struct bound *bound = take(binder);
    if (!text) {
        make_null(binder, bound);
        return;
    }
    bound->what = BOUND_OTHER;
    make_text(binder, text, strlen(text));
}

void bind_name(struct binder *binder, const char *name)
{
    struct bound *bound = take(binder);
    if (bound->what == BOUND_NAME && bound->name == name)
        return;
    if (!name) {
        make_null(binder, bound);
        return;
    }
    bound->what = BOUND_NAME;
    bound->name = name;
    make_text(binder, name, strlen(name));
}

/* Dotted quads are most addresses, and formatting them most of the cost of binding a row. */
static size_t ipv4_text(const uint8_t *four, char *text)
{
    char *at = text;
    for (int i = 0; i < 4; i++) {
        unsigned value = four[i];
        if (i > 0)
            *at++ = '.';
        if (value >= 100)
            *at++ = (char)('0' + value / 100);
        if (value >= 10)
            *at++ = (char)('0' + value / 10 % 10);
        *at++ = (char)('0' + value % 10);
    }
    *at = '\0';
    return (size_t)(at - text);
}

void bind_address(struct binder *binder, const struct address *address)
{
    struct bound *bound = take(binder);
    if (bound->what == BOUND_ADDRESS && address_equal(&bound->address, address))
        return;
    if (address_is_unspecified(address)) {
        make_null(binder, bound);
        return;
    }
    size_t length = address_is_ipv4(address) ? ipv4_text(address->byte + 12, bound->text)
                                             : strlen(address_text(address, bound->text));
    bound->what = BOUND_ADDRESS;
    bound->address = *address;
    make_text(binder, bound->text, length);
}

void bind_mac(struct binder *binder, const uint8_t *mac)
{
    struct bound *bound = take(binder);
    if (!mac) {
        make_null(binder, bound);
        return;
    }
    if (bound->what == BOUND_MAC && memcmp(bound->mac, mac, sizeof bound->mac) == 0)
        return;
    bound->what = BOUND_MAC;
    memcpy(bound->mac, mac, sizeof bound->mac);
    for (size_t i = 0; i < sizeof bound->mac; i++) {
        bound->text[3 * i] = "0123456789abcdef"[mac[i] >> 4];
        bound->text[3 * i + 1] = "0123456789abcdef"[mac[i] & 15];
        bound->text[3 * i + 2] = ':';
    }
    make_text(binder, bound->text, MAC_TEXT_SIZE - 1);
}

int binder_run(struct binder *binder)
{
    int result = binder->result;
    assert(binder->next - 1 == sqlite3_bind_parameter_count(binder->statement));
    binder->next = 1;
    binder->result = SQLITE_OK;
    if (result != SQLITE_OK) {
        for (int i = 0; i < BINDER_PARAMETERS_MAX; i++)
            binder->bound[i].what = BOUND_OTHER;
        return result;
    }
    result = sqlite3_step(binder->statement);
    int reset = sqlite3_reset(binder->statement); /* repeats the failure, with its full code */
    return result == SQLITE_DONE ? SQLITE_DONE : reset;
}
