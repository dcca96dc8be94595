/* The commands as bits: which an option belongs to (option.def). */
#ifndef APNSCOPE_CLI_COMMAND_BIT_H
#define APNSCOPE_CLI_COMMAND_BIT_H

enum command_bit {
    IN_ANALYZE = 1 << 0,
    IN_REPORT = 1 << 1,
    IN_SHOW = 1 << 2,
    IN_CHECKS = 1 << 3,
    IN_INTERFACES = 1 << 4,
    IN_EXTRACT = 1 << 5,
    IN_MERGE = 1 << 6,
    IN_COMPARE = 1 << 7,
    IN_LIVE = 1 << 8,
    IN_FILTER = 1 << 9,
    /* reads captures or databases, which may be hostile: in the sandbox */
    IN_SANDBOX = IN_ANALYZE | IN_REPORT | IN_SHOW | IN_EXTRACT | IN_MERGE | IN_COMPARE,
    IN_ANY = ~0
};

#endif
