// What Jazzer.js's binary takes from glibc 2.38 and GCC 13's libstdc++, for systems that are older. Preloaded by scripts/fuzz.
#include <stdlib.h>

extern void _ZNSt8ios_base4InitC1Ev(void *);
static char initialised[64];

long __isoc23_strtol(const char *text, char **end, int base) { return strtol(text, end, base); }
unsigned long __isoc23_strtoul(const char *text, char **end, int base) { return strtoul(text, end, base); }
void _ZSt21ios_base_library_initv(void) { _ZNSt8ios_base4InitC1Ev(initialised); }
