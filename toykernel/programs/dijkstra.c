/* dijkstra [FILE]: how far it is from node 0 to every other.

   FILE: the number of nodes, then `from to length` for each way, which leads in one direction.

   Nodes that were reached wait in a heap.  The nearest of them leaves it: no way to it can be shorter.  The ways
   from there may bring others nearer. */
#include "heap.h"
#include "file.h"
#include "stream.h"

#define FAR 0xFFFFFFFF

struct way {
    u32 to;           /* the node where it ends */
    u32 length;       /* at least 0 */
    struct way *next; /* from the same node */
};

struct node {
    u32 distance;     /* from node 0, as far as known */
    u32 place;        /* in the heap, while it waits there */
    struct way *ways; /* that begin here */
};

static struct node *nodes;
static u32 *heap; /* heap[1] is the nearest node; heap[i] is no farther than heap[2 i] and heap[2 i + 1] */
static u32 all, waiting; /* nodes, and how many of them are in the heap */
static unsigned char buffer[512];

static struct node *find(u32 number)
{
    if (number >= all)
        die("dijkstra: there is no node %u\n", number);
    return &nodes[number];
}

static void add_way(struct node *from, struct node *to, u32 length)
{
    struct way *way = allocate(sizeof *way);

    *way = (struct way){.to = to - nodes, .length = length, .next = from->ways};
    from->ways = way;
}

static void read_graph(struct stream *in)
{
    all = check(get_number(in), "dijkstra: no number of nodes");
    nodes = allocate(all * sizeof *nodes);
    heap = allocate((all + 1) * sizeof *heap);
    for (u32 i = 0; i < all; i++)
        nodes[i].distance = FAR;
    for (int from; (from = get_number(in)) != END;) {
        u32 to = get_number(in);
        add_way(find(from), find(to), get_number(in));
    }
}

static u32 distance_at(u32 place)
{
    return nodes[heap[place]].distance;
}

static void put_at(u32 place, u32 node)
{
    heap[place] = node;
    nodes[node].place = place;
}

/* A node has come nearer: it goes up. */
static void rise(u32 node)
{
    u32 place = nodes[node].place;

    for (; place > 1 && distance_at(place / 2) > nodes[node].distance; place /= 2)
        put_at(place, heap[place / 2]);
    put_at(place, node);
}

/* The last takes the first one's place, and goes down. */
static u32 take_nearest(void)
{
    u32 nearest = heap[1], last = heap[waiting--], place = 1;

    for (u32 child; (child = 2 * place) <= waiting; place = child) {
        child += child < waiting && distance_at(child + 1) < distance_at(child);
        if (distance_at(child) >= nodes[last].distance)
            break;
        put_at(place, heap[child]);
    }
    put_at(place, last);
    return nearest;
}

static void reach(u32 node, u32 distance)
{
    if (distance >= nodes[node].distance)
        return;
    if (nodes[node].distance == FAR)
        nodes[node].place = ++waiting;
    nodes[node].distance = distance;
    rise(node);
}

int main(int argc, char **argv)
{
    struct stream in = STREAM(open_input(argc > 1 ? argv[1] : NULL), buffer);
    u32 reached = 0, sum = 0, last = 0;

    read_graph(&in);
    if (all > 0)
        reach(0, 0);
    for (; waiting > 0; reached++) {
        last = take_nearest();
        sum += nodes[last].distance;
        for (struct way *way = nodes[last].ways; way; way = way->next)
            reach(way->to, nodes[last].distance + way->length);
    }
    print("dijkstra: %u of %u nodes reached, distances add up to %u", reached, all, sum);
    print(", the farthest is %u\n", reached ? nodes[last].distance : 0);
    return 0;
}
