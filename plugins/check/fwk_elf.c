#include "fw_config.h"
#include "fwk.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A shared object of 64 bits and this machine's byte order, mapped. Every offset out of the file is held against its
 * size before it is used. */
typedef struct elf_file {
    const unsigned char *p;
    size_t n;
    const Elf64_Ehdr *head;
} elf_file;

static const void *part(const elf_file *f, uint64_t at, uint64_t n)
{
    return at <= f->n && n <= f->n - at ? f->p + at : NULL;
}

static const Elf64_Shdr *section(const elf_file *f, size_t i)
{
    if (i >= f->head->e_shnum || f->head->e_shentsize != sizeof(Elf64_Shdr))
        return NULL;
    return part(f, f->head->e_shoff + i * sizeof(Elf64_Shdr), sizeof(Elf64_Shdr));
}

static const char *name_at(const elf_file *f, const Elf64_Shdr *names, uint64_t at)
{
    const char *text = names ? part(f, names->sh_offset, names->sh_size) : NULL;

    if (!text || at >= names->sh_size || !memchr(text + at, 0, names->sh_size - at))
        return "";
    return text + at;
}

static void take_symbols(const elf_file *f, const Elf64_Shdr *s, json_t *out)
{
    const Elf64_Shdr *names = section(f, s->sh_link);
    size_t n = s->sh_size / sizeof(Elf64_Sym);
    const Elf64_Sym *all = part(f, s->sh_offset, n * sizeof(Elf64_Sym));

    for (size_t i = 1; all && i < n; i++) {
        bool wanted = all[i].st_shndx == SHN_UNDEF;
        if (ELF64_ST_BIND(all[i].st_info) == STB_LOCAL)
            continue;
        json_array_append_new(json_object_get(out, wanted ? "wanted" : "exported"),
                              json_string(name_at(f, names, all[i].st_name)));
    }
}

static void take_needed(const elf_file *f, const Elf64_Shdr *s, json_t *out)
{
    const Elf64_Shdr *names = section(f, s->sh_link);
    size_t n = s->sh_size / sizeof(Elf64_Dyn);
    const Elf64_Dyn *all = part(f, s->sh_offset, n * sizeof(Elf64_Dyn));

    for (size_t i = 0; all && i < n && all[i].d_tag != DT_NULL; i++)
        if (all[i].d_tag == DT_NEEDED)
            json_array_append_new(json_object_get(out, "needed"),
                                  json_string(name_at(f, names, all[i].d_un.d_val)));
}

static json_t *read_mapped(const elf_file *f)
{
    json_t *out;

    if (f->n < sizeof(Elf64_Ehdr) || memcmp(f->p, ELFMAG, SELFMAG) != 0 ||
        f->p[EI_CLASS] != ELFCLASS64 || f->head->e_type != ET_DYN)
        return NULL;
    out = json_pack("{s:[], s:[], s:[]}", "exported", "wanted", "needed");
    for (size_t i = 0; i < f->head->e_shnum; i++) {
        const Elf64_Shdr *s = section(f, i);
        if (s && s->sh_type == SHT_DYNSYM)
            take_symbols(f, s, out);
        if (s && s->sh_type == SHT_DYNAMIC)
            take_needed(f, s, out);
    }
    return out;
}

json_t *fwk_elf_read(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    elf_file f = {0};
    struct stat st;
    json_t *out = NULL;
    void *p;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && st.st_size > 0) {
        f.n = (size_t)st.st_size;
        p = mmap(NULL, f.n, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p != MAP_FAILED) {
            f.p = p;
            f.head = p;
            out = read_mapped(&f);
            munmap(p, f.n);
        }
    }
    close(fd);
    return out;
}
