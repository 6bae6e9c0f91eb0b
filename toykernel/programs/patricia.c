/* patricia ROUTES [FILE]: where packets to the addresses in FILE go next (Morrison's trie, 1968).

   ROUTES: `10.1.0.0/16 7` says that addresses which begin with the same 16 bits go to 7; the longest such prefix counts.

   A trie takes one step for each bit.  This one has nodes only where a route ends or where two of them part. */
#include "heap.h"
#include "file.h"
#include "stream.h"

enum { BITS = 32, NOWHERE = -1 };

struct node {
    u32 prefix;               /* what all below have in common, zeros behind it */
    u32 length;               /* in bits */
    int hop;                  /* of a route that ends here, or NOWHERE */
    struct node *children[2]; /* by the bit behind the prefix; NULL: none */
};

static struct node *root;
static u32 nodes, routes;
static unsigned char buffer[512];

static u32 mask(u32 length)
{
    return length ? ~0u << (BITS - length) : 0;
}

static u32 bit(u32 address, u32 at)
{
    return address >> (BITS - 1 - at) & 1;
}

static u32 shared(u32 a, u32 b, u32 most)
{
    u32 n = 0;

    while (n < most && bit(a, n) == bit(b, n))
        n++;
    return n;
}

static struct node *new_node(u32 prefix, u32 length, int hop)
{
    struct node *node = allocate(sizeof *node);

    node->prefix = prefix & mask(length);
    node->length = length;
    node->hop = hop;
    nodes++;
    return node;
}

/* Put a node for the first n bits above another, which has more of them. */
static struct node *split(struct node *below, u32 n)
{
    struct node *above = new_node(below->prefix, n, NOWHERE);

    above->children[bit(below->prefix, n)] = below;
    return above;
}

/* Go down while the whole of a node's prefix is ours, too. */
static void add_route(u32 prefix, u32 length, int hop)
{
    struct node **link = &root, *node;

    while ((node = *link)) {
        u32 n = shared(prefix, node->prefix, length < node->length ? length : node->length);
        if (n < node->length)
            node = *link = split(node, n);
        if (n == length) {
            node->hop = hop;
            return;
        }
        link = &node->children[bit(prefix, n)];
    }
    *link = new_node(prefix, length, hop);
}

/* The last route on the way down has the longest prefix. */
static int next_hop(u32 address)
{
    int hop = NOWHERE;
    const struct node *node = root;

    while (node && ((address ^ node->prefix) & mask(node->length)) == 0) {
        if (node->hop != NOWHERE)
            hop = node->hop;
        node = node->length < BITS ? node->children[bit(address, node->length)] : NULL;
    }
    return hop;
}

/* Four numbers with dots between them; false at the end of the file. */
static int get_address(struct stream *in, u32 *address)
{
    u32 bits = 0;
    int part = 0;

    for (int i = 0; i < 4 && (part = get_number(in)) != END; i++)
        bits = bits << 8 | part;
    *address = bits;
    return part != END;
}

static void read_routes(struct stream *in)
{
    u32 prefix;

    for (; get_address(in, &prefix); routes++) {
        int length = get_number(in), hop = get_number(in);
        if (length > BITS || hop == END)
            die("patricia: route %u is bad\n", routes + 1);
        add_route(prefix, length, hop);
    }
    close(in->fd);
}

int main(int argc, char **argv)
{
    struct stream in = STREAM(open_input(argc > 1 ? argv[1] : NULL), buffer);
    u32 address, asked = 0, found = 0, sum = 0;

    read_routes(&in);
    in = (struct stream)STREAM(argc > 2 ? open_input(argv[2]) : 0, buffer);
    for (; get_address(&in, &address); asked++) {
        int hop = next_hop(address);
        found += hop != NOWHERE;
        sum = sum * 31 + hop;
    }
    print("patricia: %u routes in %u nodes, %u of %u addresses have one", routes, nodes, found, asked);
    print(", checksum %08x\n", sum);
    return 0;
}
