// The C++ library: streams, containers, strings, functions as values, virtual calls, dynamic_cast, static objects.
#include <algorithm>
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <typeinfo>
#include <unordered_map>
#include <vector>

struct Shape {
    virtual ~Shape() = default;
    virtual double area() const = 0;
    virtual std::string name() const { return "shape"; }
};
struct Named {
    virtual ~Named() = default;
    std::string tag = "tagged";
};
struct Square : Shape, Named {
    double side;
    explicit Square(double s) : side(s) {}
    double area() const override { return side * side; }
    std::string name() const override { return "square"; }
};
struct Circle : Shape {
    double radius;
    explicit Circle(double r) : radius(r) {}
    double area() const override { return 3 * radius * radius; }
};

static std::vector<int> filled = [] {
    std::vector<int> v;
    for (int i = 0; i < 100; i++) v.push_back(i * 37 % 101);
    return v;
}();

static int local_once() {
    static std::string made("made once");
    return static_cast<int>(made.size());
}

int main() {
    std::vector<std::unique_ptr<Shape>> shapes;
    for (int i = 1; i < 5; i++) {
        if (i % 2) shapes.push_back(std::make_unique<Square>(i));
        else shapes.push_back(std::make_unique<Circle>(i));
    }
    double sum = 0;
    for (auto &shape : shapes) {
        sum += shape->area();
        if (auto *named = dynamic_cast<Named *>(shape.get())) std::cout << named->tag << ' ';
        std::cout << shape->name() << ' ' << typeid(*shape).name() << '\n';
    }
    std::sort(filled.begin(), filled.end(), std::greater<int>());
    std::map<std::string, int> counts;
    std::unordered_map<int, std::string> names;
    std::istringstream text("one two three two one two");
    for (std::string word; text >> word;) counts[word]++;
    for (auto &[word, count] : counts) names[count] += word;
    std::function<int(int)> twice = [&](int x) { return x * 2 + filled[0] - filled[0] + local_once(); };
    std::ostringstream out;
    out << std::setw(8) << std::fixed << std::setprecision(3) << sum << std::hex << " 0x" << 255 << ' ' << names[3];
    std::cout << out.str() << ' ' << twice(4) << ' ' << filled[3] << ' ' << std::boolalpha << true << std::endl;
    try {
        std::cout << filled.at(1000);
    } catch (const std::out_of_range &e) {
        std::cout << e.what() << '\n';
    }
    return static_cast<int>(sum) & 31;
}
