/* How a session reaches Apple: flow_record.path. */
#ifndef APNSCOPE_TRACK_PATH_H
#define APNSCOPE_TRACK_PATH_H

#include "model/flow_record.h"
#include "scope.h"

/* By what the record holds so far; asked again when the ServerHello or a certificate is read. */
enum flow_path path_of(const struct scope *scope, const struct flow_record *record);

#endif
