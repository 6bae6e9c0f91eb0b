// Threads: mutexes, condition variables, thread-local data that is initialized and zero, keys, once, cancellation.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static __thread int initialized = 42;
static __thread int zero[16];
__thread long shared_name = 7;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int total, turn, freed, cleaned;

static void destroy(void *value) { __atomic_fetch_add(&freed, *(int *)value, __ATOMIC_SEQ_CST); free(value); }
static void start(void) { pthread_key_create(&key, destroy); }
static void clean(void *value) { cleaned += *(int *)value; }

static void *work(void *argument) {
    int number = *(int *)argument;
    pthread_once(&once, start);
    int *own = malloc(sizeof *own);
    *own = number;
    pthread_setspecific(key, own);
    for (int i = 0; i < 100; i++) {
        initialized += number;
        zero[i % 16] += i;
        shared_name++;
    }
    pthread_mutex_lock(&lock);
    while (turn != number) pthread_cond_wait(&changed, &lock);
    total = total * 3 + initialized + zero[5] + (int)shared_name;
    turn++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return (void *)(long)initialized;
}

static void *forever(void *argument) {
    pthread_cleanup_push(clean, argument);
    for (;;) pause();
    pthread_cleanup_pop(0);
    return NULL;
}

int main(void) {
    pthread_t threads[5];
    int numbers[5];
    long sum = 0;
    for (int i = 0; i < 5; i++) {
        numbers[i] = i;
        if (pthread_create(&threads[i], NULL, work, &numbers[i])) return 1;
    }
    for (int i = 0; i < 5; i++) {
        void *result;
        pthread_join(threads[i], &result);
        sum += (long)result;
    }
    pthread_t endless;
    int value = 11;
    pthread_create(&endless, NULL, forever, &value);
    usleep(1000);
    pthread_cancel(endless);
    void *result;
    pthread_join(endless, &result);
    printf("%d %ld %d %d %d %d %d\n", total, sum, freed, cleaned, result == PTHREAD_CANCELED, initialized, zero[5]);
    return 0;
}
