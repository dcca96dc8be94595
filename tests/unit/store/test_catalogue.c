/* docs/schema.md, the .def files and the schema say the same.
 *
 * The document is made from the schema of a new database and the meanings in store/ *.def. To renew
 * it: APNSCOPE_WRITE_DOCS=1 unit_store_catalogue */
#include "store_sample.h"

#include "model/vocabulary.h"
#include "store/catalogue.h"
#include "store/location.h"
#include "store/migration.h"

enum { DOCUMENT_SIZE = 65536 };

static sqlite3 *schema_database(void)
{
    sqlite3 *database;
    assert_int_equal(sqlite3_open(":memory:", &database), SQLITE_OK);
    assert_int_equal(migration_apply(database), SQLITE_OK);
    return database;
}

static sqlite3_stmt *columns_of(sqlite3 *database, const char *table)
{
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(database,
                                        "SELECT name, type, \"notnull\" OR pk FROM"
                                        " pragma_table_info(?) ORDER BY cid",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
    return statement;
}

static void every_column_of_the_schema_is_described_in_order(void **state)
{
    sqlite3 *database = schema_database();
    (void)state;
    for (int kind = ROW_RUN; kind < ROW_KIND_COUNT; kind++) {
        const struct table_description *table = &table_descriptions[kind];
        sqlite3_stmt *statement = columns_of(database, table->name);
        for (size_t i = 0; i < table->column_count; i++) {
            assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
            assert_string_equal((const char *)sqlite3_column_text(statement, 0),
                                table->columns[i].name);
        }
        assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
        sqlite3_finalize(statement);
    }
    sqlite3_close(database);
}

static void every_table_of_the_schema_is_described_and_strict(void **state)
{
    sqlite3 *database = schema_database();
    sqlite3_stmt *statement;
    int tables = 0;
    (void)state;
    assert_int_equal(sqlite3_prepare_v2(database,
                                        "SELECT name, strict FROM pragma_table_list"
                                        " WHERE schema = 'main' AND name NOT LIKE 'sqlite%'",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        int kind = ROW_RUN;
        while (kind < ROW_KIND_COUNT && strcmp(table_descriptions[kind].name, name) != 0)
            kind++;
        assert_in_range(kind, ROW_RUN, ROW_KIND_COUNT - 1);
        assert_int_equal(sqlite3_column_int(statement, 1), 1);
        tables++;
    }
    assert_int_equal(tables, ROW_KIND_COUNT - ROW_RUN);
    sqlite3_finalize(statement);
    sqlite3_close(database);
}

/* ---- the document ---- */

static const char introduction[] =
    "# The database\n"
    "\n"
    "One SQLite file holds any number of runs. Its tables and columns are published: later "
    "versions "
    "may add, never rename. This page is made from the schema and checked by a test "
    "(`tests/unit/store/test_catalogue.c`).\n"
    "\n"
    "* `PRAGMA application_id` is %d (0x%x, \"APNs\"); `PRAGMA user_version` is the number of the "
    "schema, now %d. Newer and foreign files are refused and left as they are.\n"
    "* All tables are STRICT. The file uses a write-ahead log: while a run is written, `-wal` and "
    "`-shm` files lie beside it and belong to it; afterwards the one file is complete, and may be "
    "copied alone.\n"
    "* Columns ending in `_ns` are nanoseconds since 1970-01-01 UTC, from the packets; `_us` are "
    "microseconds. NULL is \"not known\" or \"none\".\n"
    "* Addresses are dotted quads or RFC 5952 text. Names are as they were on the wire; bytes that "
    "are not printable are written `\\xNN`.\n"
    "* Deleting a row of `run` deletes its rows everywhere, where `PRAGMA foreign_keys` is on.\n"
    "* A capture file that is analysed again with the same options replaces its earlier run when "
    "the new one is complete. The ids of rows are then new ones.\n"
    "* Several processes may write runs into one file. A run whose process is gone becomes "
    "`interrupted` when the file is next opened for writing.\n"
    "\n"
    "No payload is stored: docs and sentences of `finding` name frames, not their contents.\n";

static void add_columns(struct text *text, sqlite3 *database, const struct table_description *table)
{
    sqlite3_stmt *statement = columns_of(database, table->name);
    text_add(text, "\n| column | type | meaning |\n|---|---|---|\n");
    for (size_t i = 0; i < table->column_count && sqlite3_step(statement) == SQLITE_ROW; i++)
        text_format(text, "| `%s` | %s%s | %s |\n", table->columns[i].name,
                    (const char *)sqlite3_column_text(statement, 1),
                    sqlite3_column_int(statement, 2) ? "" : ", NULL", table->columns[i].meaning);
    sqlite3_finalize(statement);
}

#define ADD_WORDS(text, title, count, name, meaning, type)                                         \
    do {                                                                                           \
        text_format(text, "\n`%s`:\n\n", title);                                                   \
        for (int word = 0; word < (count); word++)                                                 \
            if (name((type)word))                                                                  \
                text_format(text, "* `%s`: %s\n", name((type)word), meaning((type)word));          \
    } while (0)

static void add_words(struct text *text, enum row_kind kind)
{
    if (kind == ROW_FLOW) {
        ADD_WORDS(text, "role", ROLE_COUNT, role_name, role_meaning, enum flow_role);
        ADD_WORDS(text, "path", PATH_COUNT, path_name, path_meaning, enum flow_path);
        ADD_WORDS(text, "outcome", OUTCOME_COUNT, outcome_name, outcome_meaning, enum flow_outcome);
        ADD_WORDS(text, "ended_by", ENDED_COUNT, ending_name, ending_meaning, enum flow_ending);
        text_add(text, "\n`reason`: `port` (an Apple address and a push port), `name` (the SNI is "
                       "a push host), `alpn` (`apns-...`), `dns` (the address was learned from an "
                       "answer for a push name), `courier` (the address spoke APNs in another "
                       "session), `connect` (CONNECT to a push host), `fallback` (443 right after "
                       "a failure on 5223, by the same device)\n");
    }
    if (kind == ROW_FINDING)
        text_add(text,
                 "\n`evidence` is an object: `frames`, an array of objects with `number` "
                 "(as Wireshark counts), `time` (ISO 8601, UTC), `time_ns` and `shows` (what "
                 "the frame shows); `reasoning`, why the finding follows; `block`, only of "
                 "findings that are a block: an object with `kind`, `side`, `place` (a sentence: "
                 "the side and the reason) and, where Apple's packets come from another MAC "
                 "address than the blocker's, `mac`; `limits`, the facts of the capture that "
                 "limit it, only where there are some.\n\n`block.kind`:\n\n");
    if (kind == ROW_FINDING) {
        ADD_WORDS(text, "block.kind", BLOCK_KIND_COUNT, block_kind_name, block_kind_meaning,
                  enum block_kind);
        ADD_WORDS(text, "block.side", SIDE_COUNT, side_name, side_meaning, enum blocker_side);
    }
    if (kind == ROW_STEP)
        ADD_WORDS(text, "what", STEP_WHAT_COUNT, step_name, step_meaning, enum step_what);
    if (kind == ROW_SKIPPED)
        ADD_WORDS(text, "reason", SKIP_COUNT, skip_reason_name, skip_reason_meaning,
                  enum skip_reason);
    if (kind != ROW_CAPTURE_QUALITY)
        return;
    text_add(text, "\n`name`:\n\n");
    for (size_t i = 0; i < fact_description_count; i++)
        text_format(text, "* `%s`: %s\n", fact_descriptions[i].name, fact_descriptions[i].meaning);
}

static void make_document(struct text *text)
{
    sqlite3 *database = schema_database();
    text_format(text, introduction, STORE_APPLICATION_ID, (unsigned)STORE_APPLICATION_ID,
                migration_newest());
    for (int kind = ROW_RUN; kind < ROW_KIND_COUNT; kind++) {
        const struct table_description *table = &table_descriptions[kind];
        text_format(text, "\n## %s\n\n%s\n", table->name, table->meaning);
        add_columns(text, database, table);
        add_words(text, (enum row_kind)kind);
    }
    sqlite3_close(database);
    assert_false(text->cut);
}

static void the_document_describes_this_schema(void **state)
{
    static char expected[DOCUMENT_SIZE];
    struct text text = text_over(expected, sizeof expected);
    size_t size = 0;
    (void)state;
    make_document(&text);
    if (getenv("APNSCOPE_WRITE_DOCS"))
        sample_write_file(TEST_SOURCE_DIR "/docs/schema.md", expected, text.length);
    char *document = sample_read_file(TEST_SOURCE_DIR "/docs/schema.md", &size);
    assert_non_null(document);
    if (strcmp(document, expected) != 0)
        print_error("docs/schema.md is not that of this schema; renew it with "
                    "APNSCOPE_WRITE_DOCS=1\n");
    assert_string_equal(document, expected);
    free(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_column_of_the_schema_is_described_in_order),
        cmocka_unit_test(every_table_of_the_schema_is_described_and_strict),
        cmocka_unit_test(the_document_describes_this_schema),
    };
    return cmocka_run_group_tests_name("store/catalogue", tests, NULL, NULL);
}
