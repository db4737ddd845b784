// Writes and reads SPZ with the format's own library (github.com/nianticlabs/spz, MIT), for splats_golden.py, which compiles it.
// splats_golden pack VERSION OUT.spz < floats      floats: count, degree, then means, scales, rotations (xyzw), alphas, colors, sh; RDF axes
// splats_golden unpack IN.spz > floats             the same floats, as the library decodes them
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "load-spz.h"

static void readFloats(std::vector<float> &v, size_t n) {
  v.resize(n);
  if (fread(v.data(), 4, n, stdin) != n) exit(2);
}

static void writeFloats(const std::vector<float> &v) { fwrite(v.data(), 4, v.size(), stdout); }

int main(int argc, char **argv) {
  if (argc == 4 && std::string(argv[1]) == "pack") {
    std::vector<float> head;
    readFloats(head, 2);
    spz::GaussianCloud g;
    g.numPoints = (int)head[0];
    g.shDegree = (int)head[1];
    g.antialiased = true;
    const size_t n = g.numPoints, k = (g.shDegree + 1) * (g.shDegree + 1) - 1;
    readFloats(g.positions, 3 * n);
    readFloats(g.scales, 3 * n);
    readFloats(g.rotations, 4 * n);
    readFloats(g.alphas, n);
    readFloats(g.colors, 3 * n);
    readFloats(g.sh, 3 * k * n);
    spz::PackOptions options;
    options.version = (uint32_t)atoi(argv[2]);
    options.from = spz::CoordinateSystem::RDF;
    return spz::saveSpz(g, options, std::string(argv[3])) ? 0 : 3;
  }
  if (argc == 3 && std::string(argv[1]) == "unpack") {
    spz::UnpackOptions options;
    options.to = spz::CoordinateSystem::RDF;
    const spz::GaussianCloud g = spz::loadSpz(std::string(argv[2]), options);
    writeFloats(g.positions);
    writeFloats(g.scales);
    writeFloats(g.rotations);
    writeFloats(g.alphas);
    writeFloats(g.colors);
    writeFloats(g.sh);
    return g.numPoints > 0 ? 0 : 4;
  }
  return 1;
}
