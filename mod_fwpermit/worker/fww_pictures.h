#ifndef FWW_PICTURES_H
#define FWW_PICTURES_H

#include "fww_role.h"

/* The role that decodes pictures and PDFs, and draws papers. It serves frames on <run_dir>/pictures.sock, one picture a
 * connection:
 *
 *   {"op": "photo"} + the picture         a permit's photo, judged and mended
 *   {"op": "thumb", "size": N} + picture  the picture within N x N pixels
 *   {"op": "page", "page": N, "size": M} + PDF   its page N (from 1) within M x M pixels
 *   {"op": "paper", "model": {…}} + a photo or nothing   a paper (fww_pdf.h): a PDF comes back
 *   {"op": "health"}                      is it there
 *
 * answered by {"ok", "problems", "measures"} + a JPEG or nothing (fww_photo.h, fww_page.h), or by {"error":
 * "input", "limit" or "internal", "reason"}. Each picture is decoded by a process of its own, with
 * limits; if that crashes, hangs or wants too much the answer is the problem photo.unreadable, pdf.unreadable, or an error.
 *
 * Settings, all optional: "at_once" (processes, 4), "memory_mib" (of one, beyond what the role
 * itself maps), "cpu_seconds", "deadline_ms", and "rules" (fww_photo_rules_read).
 *
 * Returns 0 when *env->stop was set, another number when it cannot serve. */
int fww_pictures_main(const fww_role_env *env);

#endif
