/* The DataMatrix of the bytes that come in hexadecimal, as a grey picture of one pixel a module: square HEX >OUT.pgm */
#include <dmtx.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    unsigned char bytes[1600];
    size_t n = argc == 2 ? strlen(argv[1]) / 2 : 0;
    DmtxEncode *enc = dmtxEncodeCreate();
    int width, height;

    if (n == 0 || n > sizeof bytes || !enc)
        return 2;
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        if (sscanf(argv[1] + 2 * i, "%2x", &byte) != 1)
            return 2;
        bytes[i] = (unsigned char)byte;
    }
    dmtxEncodeSetProp(enc, DmtxPropScheme, DmtxSchemeBase256);
    dmtxEncodeSetProp(enc, DmtxPropModuleSize, 1);
    dmtxEncodeSetProp(enc, DmtxPropMarginSize, 2);
    dmtxEncodeSetProp(enc, DmtxPropPixelPacking, DmtxPack8bppK);
    if (!dmtxEncodeDataMatrix(enc, (int)n, bytes))
        return 1;
    width = dmtxImageGetProp(enc->image, DmtxPropWidth);
    height = dmtxImageGetProp(enc->image, DmtxPropHeight);
    printf("P5\n%d %d\n255\n", width, height);
    fwrite(enc->image->pxl, 1, (size_t)width * (size_t)height, stdout);
    dmtxEncodeDestroy(&enc);
    return 0;
}
