/* The archive that the boot loader brings (cpio, format newc) becomes the first files. */
#include "fs.h"

struct cpio_header {
    char magic[6];      /* "070701" */
    char fields[13][8]; /* hexadecimal */
};
enum { MODE = 1, FILE_SIZE = 6, NAME_SIZE = 11 }; /* which field */

static u32 number(const struct cpio_header *header, u32 field)
{
    u32 value = 0;

    for (u32 i = 0; i < 8; i++) {
        u8 c = header->fields[field][i];
        value = value << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static u32 aligned(u32 size)
{
    return (size + 3) & -4;
}

/* Make the directories that the path goes through; archives may leave them out. */
static void make_parents(char *path)
{
    for (char *p = path + 1; *p; p++)
        if (*p == '/') {
            *p = 0;
            ramfs_mknod(path, S_IFDIR | 0755);
            *p = '/';
        }
}

/* Copy the file's contents to its pages. */
static void fill(struct inode *inode, const char *data, u32 size)
{
    for (u32 at = 0; at < size; at += PAGE_SIZE) {
        struct page *page = grab_cache_page(inode, at >> PAGE_SHIFT);
        if (!page)
            panic("archive does not fit into memory", size);
        inode->i_aops->readpage(NULL, page);
        memcpy(page->address, data + at, min(size - at, PAGE_SIZE));
        put_page(page);
    }
    inode->i_size = size;
}

static void unpack_entry(char *path, u32 mode, const char *data, u32 size)
{
    struct inode *inode;
    u32 kind = mode & S_IFMT;

    if (kind != S_IFDIR && kind != S_IFREG)
        return;
    make_parents(path);
    inode = ramfs_mknod(path, mode);
    if (kind == S_IFREG)
        fill(inode, data, size);
}

/* Entry after entry: header, name with its zero, data; the latter two begin at multiples of four.
   Physical addresses. */
void unpack_archive(u32 start, u32 end)
{
    char *archive = virtual(start);
    u32 size = end - start;

    for (u32 at = 0; at + sizeof(struct cpio_header) <= size;) {
        const struct cpio_header *header = (struct cpio_header *)(archive + at);
        u32 name_size = number(header, NAME_SIZE), file_size = number(header, FILE_SIZE), data;
        char *name = (char *)(header + 1);

        data = aligned(at + sizeof *header + name_size);
        if (memcmp(header->magic, "070701", 6) || name_size == 0 || name_size > size || data > size ||
            file_size > size - data || name[name_size - 1])
            panic("bad archive", at);
        if (memcmp(name, "TRAILER!!!", name_size) == 0)
            return;
        unpack_entry(name, number(header, MODE), archive + data, file_size);
        at = aligned(data + file_size);
    }
}
