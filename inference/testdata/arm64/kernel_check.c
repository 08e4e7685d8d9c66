// Holds the kernel's fast path against its plain loop, bit for bit, where no Go can be built: see check.sh.
#include "../../kernel.c"

#include <stdio.h>
#include <stdlib.h>

static uint32_t seed = 1;

static uint32_t next(void) {
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed;
}

static int check(int width, int height, int gained, int extreme) {
    const int nb = cs_row_blocks(width), rows = (height + 7) / 8, n = nb * rows, stride = width + (int)(next() % 9);
    uint8_t *pix = malloc((size_t)stride * (size_t)height);
    uint16_t *gain = malloc(sizeof *gain * (size_t)width), *blocks[2], *cols[2];
    for (int i = 0; i < stride * height; i++)
        pix[i] = (uint8_t)(extreme ? (next() & 1) * 255 : next());
    uint8_t *offset = malloc((size_t)width);
    for (int i = 0; i < width; i++)
        offset[i] = (uint8_t)(next() % 12);
    for (int i = 0; i < width; i++)
        gain[i] = (uint16_t)(extreme ? (next() & 1) * 65535 : 8192 + next() % 16384);
    for (int fast = 0; fast < 2; fast++) {
        blocks[fast] = malloc(sizeof(uint16_t) * (size_t)(CS_PLANES * n));
        cols[fast] = malloc(sizeof(uint16_t) * (size_t)(n * 8));
        cs_first_pass(pix, stride, width, height, gained ? gain : NULL, gained && width % 2 ? offset : NULL, 0, rows, blocks[fast], n, cols[fast], fast);
    }
    const int differ = memcmp(blocks[0], blocks[1], sizeof(uint16_t) * (size_t)(CS_PLANES * n)) ||
                       memcmp(cols[0], cols[1], sizeof(uint16_t) * (size_t)(n * 8));
    if (differ)
        printf("%d x %d pixels, gain %d, extreme %d: the two paths differ\n", width, height, gained, extreme);
    for (int fast = 0; fast < 2; fast++) {
        free(blocks[fast]);
        free(cols[fast]);
    }
    free(pix);
    free(gain);
    free(offset);
    return differ;
}

int main(void) {
    if (cs_paths() < 2) {
        printf("this processor has no fast path\n");
        return 2;
    }
    int failed = 0, done = 0;
    for (int width = 8; width < 1200; width += 1 + (int)(next() % 23))
        for (int k = 0; k < 4; k++, done++)
            failed += check(width, 1 + (int)(next() % 40), k & 1, k >> 1);
    printf("%d images, %d differ\n", done, failed);
    return failed != 0;
}
