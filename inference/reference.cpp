#include "reference.h"

#include <new>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

struct cs_reference {
    cv::Mat blurred, difference, mask, labels, stats, centres;
};

extern "C" cs_reference *cs_reference_new(void) { return new (std::nothrow) cs_reference; }

extern "C" void cs_reference_free(cs_reference *r) { delete r; }

extern "C" int cs_reference_run(cs_reference *r, const uint8_t *pix, ptrdiff_t stride, int width, int height) {
    try {
        // One core against one core: OpenCV would divide the work by itself.
        cv::setNumThreads(1);
        const cv::Mat image(height, width, CV_8UC1, const_cast<uint8_t *>(pix), static_cast<size_t>(stride));
        cv::blur(image, r->blurred, cv::Size(15, 15));
        cv::absdiff(image, r->blurred, r->difference);
        cv::threshold(r->difference, r->mask, 25, 255, cv::THRESH_BINARY);
        return cv::connectedComponentsWithStats(r->mask, r->labels, r->stats, r->centres) - 1;
    } catch (...) { // nothing may unwind into the caller, which is not C++
        return -1;
    }
}
