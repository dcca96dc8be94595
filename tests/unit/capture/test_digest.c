/* SHA-256 of what is read: the same, whoever hashes it and in whatever pieces it comes. */
#include "capture/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Of one million times the letter a: FIPS 180-2, appendix B.3. */
static const char million[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

enum { SIZE = 7 << 20 };
/* Of filler(), by Python's hashlib. */
static const char of_filler[] = "22c7f7d80f826699e486ab0712bdf15e94eaedb3b626426458ae53690631479f";

static uint8_t *filler(void)
{
    uint8_t *bytes = malloc(SIZE);
    uint32_t state = 1;
    assert_non_null(bytes);
    for (size_t i = 0; i < SIZE; i++) {
        state = state * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(state >> 24);
    }
    return bytes;
}

static void hash_in_pieces(const uint8_t *bytes, size_t piece, char text[DIGEST_TEXT_SIZE])
{
    struct digest *digest = digest_new();
    for (size_t at = 0; at < SIZE; at += piece)
        digest_add(digest, bytes + at, SIZE - at < piece ? SIZE - at : piece);
    digest_text(digest, text);
    digest_free(digest);
}

static void a_known_text_has_its_known_digest(void **state)
{
    (void)state;
    char text[DIGEST_TEXT_SIZE], letters[1000];
    struct digest *digest = digest_new();
    memset(letters, 'a', sizeof letters);
    for (int i = 0; i < 1000; i++)
        digest_add(digest, letters, sizeof letters);
    digest_text(digest, text);
    digest_free(digest);
    assert_string_equal(text, million);
}

static void a_thread_of_its_own_hashes_the_same(void **state)
{
    (void)state;
    static const size_t pieces[] = {SIZE, 4095, 65536, 65537, 262144, 3 << 20};
    char text[DIGEST_TEXT_SIZE];
    uint8_t *bytes = filler();
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        hash_in_pieces(bytes, pieces[i], text);
        assert_string_equal(text, of_filler);
    }
    free(bytes);
}

static void what_is_added_may_be_used_again_at_once(void **state)
{
    (void)state;
    char text[DIGEST_TEXT_SIZE];
    enum { PIECE = 100000 };
    uint8_t piece[PIECE];
    uint8_t *bytes = filler();
    struct digest *digest = digest_new();
    for (size_t at = 0; at < SIZE; at += PIECE) {
        size_t size = SIZE - at < PIECE ? SIZE - at : PIECE;
        memcpy(piece, bytes + at, size);
        digest_add(digest, piece, size);
        memset(piece, 0, sizeof piece);
    }
    digest_text(digest, text);
    digest_free(digest);
    free(bytes);
    assert_string_equal(text, of_filler);
}

static void a_digest_nobody_asks_for_ends_all_the_same(void **state)
{
    (void)state;
    uint8_t *bytes = filler();
    struct digest *digest = digest_new();
    digest_add(digest, bytes, SIZE);
    digest_free(digest);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_text_has_its_known_digest),
        cmocka_unit_test(a_thread_of_its_own_hashes_the_same),
        cmocka_unit_test(what_is_added_may_be_used_again_at_once),
        cmocka_unit_test(a_digest_nobody_asks_for_ends_all_the_same),
    };
    return cmocka_run_group_tests_name("capture/digest", tests, NULL, NULL);
}
