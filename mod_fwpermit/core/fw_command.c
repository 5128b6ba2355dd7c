#include "fw_config.h"
#include "fw_command.h"

#include <string.h>

static const char *const names[FW_CMDS] = {
#define X(id, name) name,
    FW_COMMANDS(X)
#undef X
};

const char *fw_cmd_name(fw_cmd_e cmd)
{
    return (unsigned)cmd < FW_CMDS ? names[cmd] : "?";
}

bool fw_cmd_parse(const char *name, fw_cmd_e *out)
{
    for (int i = 0; i < FW_CMDS; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (fw_cmd_e)i;
            return true;
        }
    }
    return false;
}
