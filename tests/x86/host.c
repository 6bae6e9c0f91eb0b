/* Executes single instructions on the host CPU in 32-bit mode, as told on stdin; see host.py for the protocol.
 *
 * Built static and away from the addresses that the tests use: -m32 -static -no-pie -Wl,-Ttext-segment=0x60000000.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define CODE ((uint8_t *)0x10000200)
#define PAGE 4096
#define PAGES 512

struct state { uint32_t regs[8], flags; } in __asm__("in"), out __asm__("out"); /* eax ecx edx ebx esp ebp esi edi */
uint32_t host_esp __asm__("host_esp");
static uint8_t *pages[PAGES], pristine[PAGES][PAGE];
static int page_count;
static sigjmp_buf faulted;

void enter(void);
void back(void);
__asm__(
	"enter: pushal\n mov %esp, host_esp\n fninit\n"
	"pxor %xmm0, %xmm0\n pxor %xmm1, %xmm1\n pxor %xmm2, %xmm2\n pxor %xmm3, %xmm3\n"
	"pxor %xmm4, %xmm4\n pxor %xmm5, %xmm5\n pxor %xmm6, %xmm6\n pxor %xmm7, %xmm7\n"
	"pushl in+32\n popfl\n"
	"mov in+4, %ecx\n mov in+8, %edx\n mov in+12, %ebx\n mov in+20, %ebp\n mov in+24, %esi\n mov in+28, %edi\n"
	"mov in, %eax\n mov in+16, %esp\n jmp 0x10000200\n"
	"back: mov %esp, out+16\n mov host_esp, %esp\n pushfl\n popl out+32\n cld\n"
	"mov %eax, out\n mov %ecx, out+4\n mov %edx, out+8\n mov %ebx, out+12\n mov %ebp, out+20\n"
	"mov %esi, out+24\n mov %edi, out+28\n popal\n ret\n");

static void on_fault(int number, siginfo_t *info, void *context)
{
	ucontext_t *user = context;
	(void)number, (void)info;
	siglongjmp(faulted, user->uc_mcontext.gregs[REG_TRAPNO] == 14 ? 1 : 2); /* 14: page fault */
}

static void take(void *to, size_t size)
{
	for (uint8_t *at = to; size;) {
		ssize_t got = read(0, at, size);
		if (got <= 0)
			_exit(0);
		at += got, size -= got;
	}
}

static void give(const void *from, size_t size)
{
	if (write(1, from, size) != (ssize_t)size)
		_exit(1);
}

static void map_page(void)
{
	uint32_t address;
	uint8_t done = 0;
	take(&address, 4);
	take(pristine[page_count], PAGE);
	void *got = mmap((void *)address, PAGE, PROT_READ | PROT_WRITE,
	                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (got == (void *)address && page_count < PAGES - 1) {
		memcpy(got, pristine[page_count], PAGE);
		pages[page_count++] = got;
		done = 1;
	}
	give(&done, 1);
}

static void place(void)
{
	uint8_t size;
	take(&size, 1);
	take(CODE, size);
	int32_t distance = (int32_t)((uint32_t)back - ((uint32_t)CODE + size + 5));
	CODE[size] = 0xE9; /* jmp back */
	memcpy(CODE + size + 1, &distance, 4);
}

static void run(void)
{
	static uint8_t answer[1 + sizeof out + 4 + 5 * PAGE];
	uint32_t changes = 0;
	take(&in, sizeof in);
	int fault = sigsetjmp(faulted, 1);
	if (!fault)
		enter();
	uint8_t *at = answer + 1 + sizeof out + 4;
	for (int page = 0; page < page_count; page++) {
		if (!memcmp(pages[page], pristine[page], PAGE))
			continue;
		for (uint32_t byte = 0; byte < PAGE && changes < PAGE; byte++)
			if (pages[page][byte] != pristine[page][byte]) {
				uint32_t address = (uint32_t)pages[page] + byte;
				memcpy(at, &address, 4);
				at[4] = pages[page][byte];
				at += 5, changes++;
			}
		memcpy(pages[page], pristine[page], PAGE);
	}
	answer[0] = fault;
	memcpy(answer + 1, &out, sizeof out);
	memcpy(answer + 1 + sizeof out, &changes, 4);
	give(answer, at - answer);
}

int main(void)
{
	static uint8_t stack[65536];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	sigaltstack(&alternate, 0);
	for (int n = 0; n < 3; n++)
		sigaction((int[]){ SIGSEGV, SIGILL, SIGFPE }[n], &action, 0);
	sigaction(SIGBUS, &action, 0);
	sigaction(SIGTRAP, &action, 0);
	mmap((void *)0x10000000, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	for (;;) {
		char verb;
		take(&verb, 1);
		if (verb == 'M')
			map_page();
		else if (verb == 'I')
			place();
		else
			run();
	}
}
