// Exceptions through several frames with destructors: by value and base class, thrown again, out of constructors,
// through C code that qsort calls, and one that nobody catches.
// counted: _Z7throweri: 9
// flags: -Wl,--eh-frame-hdr
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>

struct Loud {
    const char *name;
    explicit Loud(const char *n) : name(n) {}
    ~Loud() { std::printf("~%s ", name); }
};

struct Base : std::exception {
    int code;
    explicit Base(int c) : code(c) {}
    const char *what() const noexcept override { return "base"; }
};
struct Derived : Base {
    using Base::Base;
    const char *what() const noexcept override { return "derived"; }
};

__attribute__((noinline)) int thrower(int n) {
    Loud loud("thrower");
    switch (n) {
        case 1: throw n;
        case 2: throw std::runtime_error("two");
        case 3: throw Derived(33);
        case 4: throw "text";
        case 5: throw std::string("a string that is long enough for the heap");
    }
    return n;
}

__attribute__((noinline)) int middle(int n) {
    Loud loud("middle");
    try {
        return thrower(n);
    } catch (int k) {
        std::printf("int %d ", k);
        return -k;
    } catch (const Base &base) {
        std::printf("again %s ", base.what());
        throw;
    }
}

__attribute__((noinline)) int outer(int n) noexcept(false) {
    Loud one("one"), two("two");
    return middle(n) + middle(0);
}

struct Half {
    Loud first{"first"};
    Half() { throw 9; }
};

static int comparing(const void *, const void *) { throw 17; }

int main() {
    for (int i = 0; i < 6; i++) {
        try {
            std::printf("= %d\n", outer(i));
        } catch (const std::exception &e) {
            std::printf("caught %s\n", e.what());
        } catch (const std::string &s) {
            std::printf("caught %s\n", s.c_str());
        } catch (...) {
            std::printf("caught something\n");
        }
    }
    try {
        Half half;
    } catch (int n) {
        std::printf("half %d\n", n);
    }
    std::set_terminate([] {
        std::printf("terminated %d\n", std::uncaught_exceptions());
        std::fflush(stdout);
        std::_Exit(7);
    });
    try {
        std::rethrow_exception(std::make_exception_ptr(Derived(5)));
    } catch (Base &b) {
        std::printf("rethrown %d\n", b.code);
    }
    std::fflush(stdout);
    [](int n) noexcept { thrower(n); }(2);
}
