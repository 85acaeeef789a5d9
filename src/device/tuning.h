/*
 * device/tuning.h: the tuning file: for a device and its driver, which way to do a pass where the rule's is not the fastest.
 * Keys and ways are texts that ops/choice.h makes and reads; here they are only found. `cldann tune` writes such a file.
 *
 * The file is in libconfig syntax: a list `tuning` of groups, each with patterns (as a shell's file names have) for device,
 * platform and driver as `cldann devices` shows them, optionally vector_width and the version of cldann, and a list `choices`
 * of groups {of, use}; other keys, such as measured times, are for the reader. The first group that matches counts.
 */
#ifndef CLDANN_DEVICE_TUNING_H
#define CLDANN_DEVICE_TUNING_H

#include "device/device.h"

/*
 * selector: a file, "none", or NULL for $CLDANN_TUNING (a file or "none"), else the user's file if it has a group for the
 * device, else the one that is built in. A file named here or there must exist and match: CLDANN_E_CONFIG.
 */
int tuning_open(cldann_error *e, const device_info *d, const char *selector, tuning **out);
/* The user's file, whether it exists or not: $XDG_CONFIG_HOME/cldann/tuning.conf. *out is the caller's (mem_free). */
int tuning_user_path(cldann_error *e, char **out);
void tuning_free(tuning *t);
/* The way to do `key`, or NULL: the rule's. */
const char *tuning_find(const tuning *t, const char *key);
/* Adds a choice, or replaces one. */
int tuning_set(cldann_error *e, tuning *t, const char *key, const char *use);
int tuning_count(const tuning *t);
/* Number `at` of the choices. */
void tuning_get(const tuning *t, int at, const char **key, const char **use);
/* For people: the file, "the built-in tuning", or "no tuning". */
const char *tuning_name(const tuning *t);

#endif
