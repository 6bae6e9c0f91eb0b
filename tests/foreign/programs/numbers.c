// Floating point in all its registers, arguments of unknown number, and printf of everything.
// flags: -msse2
// flags: -mfpmath=sse
// counted: average: 50
#include <emmintrin.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

__attribute__((noipa)) double average(int count, ...) {
    va_list list;
    va_start(list, count);
    double sum = 0;
    for (int i = 0; i < count; i++) sum += i % 2 ? va_arg(list, double) : va_arg(list, int);
    va_end(list);
    return sum / count;
}

__attribute__((noinline)) long double power(long double x, int n) {
    long double result = 1;
    while (n--) result *= x;
    return result;
}

__attribute__((noinline)) int lanes(const int *a, const int *b) {
    __m128i sum = _mm_add_epi32(_mm_loadu_si128((const __m128i *)a), _mm_loadu_si128((const __m128i *)b));
    int out[4];
    _mm_storeu_si128((__m128i *)out, sum);
    return out[0] + 10 * out[1] + 100 * out[2] + 1000 * out[3];
}

int main(void) {
    double x = 0;
    for (int i = 0; i < 50; i++) x += average(4, i, i * 0.5, 3, 2.25);
    printf("%.6f %Lf %La %e %g\n", x, power(1.5L, 20), power(0.1L, 3), sqrt(x), x / 1e20);
    printf("%d %llu %#x %o %c %5.2s| %+d %ls %p %%\n", -5, 1ULL << 60, 48879, 8, 'q', "abc", 3, L"wide", (void *)16);
    int a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8};
    char text[64];
    snprintf(text, sizeof text, "%2$d %1$s", "second", lanes(a, b));
    double parsed = strtod("2.5e3tail", NULL);
    float f;
    unsigned hex;
    sscanf("3.75 ff", "%f %x", &f, &hex);
    printf("%s %g %g %u %ld\n", text, parsed, f, hex, strtol("-0x7f", NULL, 0));
    printf("%lld %lld %g\n", 123456789012345LL / 977, -123456789012345LL % 1000, floor(-2.5) + sin(0));
    return (int)x & 31;
}
