#include "fw_config.h"
#include "fww_roles.h"

#include "fww_pictures.h"

/* fwpermit-pictures. */
const fww_role fww_roles[] = {{.name = "pictures", .run = fww_pictures_main}, {.name = NULL}};
