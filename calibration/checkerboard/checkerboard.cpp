#include "checkerboard.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <opencv2/calib3d.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

extern "C" int cs_checkerboard_find(const uint8_t *pix, ptrdiff_t stride, int width, int height, int columns, int rows, float *xy) {
    try {
        const cv::Mat image(height, width, CV_8UC1, const_cast<uint8_t *>(pix), static_cast<size_t>(stride));
        std::vector<cv::Point2f> found;
        // The newer search missed the board in one of OpenCV's 26 photographs of one, which the older found; without its quick look
        // first, that one takes half a minute over a picture of nothing.
        const cv::Size size(columns, rows);
        bool whole = cv::findChessboardCornersSB(image, size, found, cv::CALIB_CB_NORMALIZE_IMAGE | cv::CALIB_CB_EXHAUSTIVE);
        if (!whole) {
            found.clear();
            const int flags = cv::CALIB_CB_ADAPTIVE_THRESH | cv::CALIB_CB_NORMALIZE_IMAGE | cv::CALIB_CB_FAST_CHECK;
            whole = cv::findChessboardCorners(image, size, found, flags);
        }
        if (!whole || found.size() != static_cast<size_t>(columns) * static_cast<size_t>(rows)) return 0;
        // The search's own places are good to a tenth of a pixel; the saddle of the grey values is found to a third of that. Its window
        // may not reach into the next corner's.
        double nearest = 1e9;
        for (int i = 0; i < rows * columns; i++) {
            if (i % columns > 0) nearest = std::min(nearest, cv::norm(found[i] - found[i - 1]));
            if (i >= columns) nearest = std::min(nearest, cv::norm(found[i] - found[i - columns]));
        }
        const int half = std::clamp(static_cast<int>(nearest * 0.3), 2, 12);
        cv::cornerSubPix(image, found, cv::Size(half, half), cv::Size(-1, -1),
                         cv::TermCriteria(cv::TermCriteria::COUNT + cv::TermCriteria::EPS, 60, 1e-3));
        for (const cv::Point2f &p : found) {
            *xy++ = p.x;
            *xy++ = p.y;
        }
        return 1;
    } catch (...) { // nothing may unwind into the caller, which is not C++
        return -1;
    }
}

extern "C" int cs_checkerboard_calibrate(int pictures, int corners, const float *xy, const float *board, int width, int height, cs_lens *out) {
    try {
        std::vector<cv::Point3f> at;
        for (int i = 0; i < corners; i++) at.emplace_back(board[2 * i], board[2 * i + 1], 0.0F);
        const std::vector<std::vector<cv::Point3f>> object(static_cast<size_t>(pictures), at);
        std::vector<std::vector<cv::Point2f>> image(static_cast<size_t>(pictures));
        for (std::vector<cv::Point2f> &points : image) {
            for (int i = 0; i < corners; i++, xy += 2) points.emplace_back(xy[0], xy[1]);
        }
        cv::Mat matrix = cv::Mat::eye(3, 3, CV_64F), distortion = cv::Mat::zeros(1, 5, CV_64F);
        std::vector<cv::Mat> rotations, translations;
        const cv::TermCriteria until(cv::TermCriteria::COUNT + cv::TermCriteria::EPS, 200, 1e-10);
        out->rms = cv::calibrateCamera(object, image, cv::Size(width, height), matrix, distortion, rotations, translations, cv::CALIB_FIX_K3, until);
        out->matrix[0] = matrix.at<double>(0, 0);
        out->matrix[1] = matrix.at<double>(1, 1);
        out->matrix[2] = matrix.at<double>(0, 2);
        out->matrix[3] = matrix.at<double>(1, 2);
        for (int i = 0; i < 5; i++) out->distortion[i] = distortion.at<double>(i);
        cv::Mat rotation;
        std::vector<cv::Vec3d> normals;
        for (const cv::Mat &r : rotations) {
            cv::Rodrigues(r, rotation);
            normals.emplace_back(rotation.at<double>(0, 2), rotation.at<double>(1, 2), rotation.at<double>(2, 2));
        }
        double least = 1; // cosine
        for (const cv::Vec3d &a : normals) {
            for (const cv::Vec3d &b : normals) least = std::min(least, a.dot(b));
        }
        out->tilt = std::acos(std::max(-1.0, least)) * 180 / CV_PI;
        for (int i = 0; i < 9; i++) out->rotation[i] = rotation.at<double>(i / 3, i % 3);
        for (int i = 0; i < 3; i++) out->translation[i] = translations.back().at<double>(i);
        return 0;
    } catch (...) {
        return -1;
    }
}

extern "C" int cs_checkerboard_plane(int corners, const float *xy, const float *board, int width, int height, double *k1, double *homography,
                                     double *rms) {
    try {
        std::vector<cv::Point2f> seen, at, straight;
        for (int i = 0; i < corners; i++) {
            seen.emplace_back(xy[2 * i], xy[2 * i + 1]);
            at.emplace_back(board[2 * i], board[2 * i + 1]);
        }
        const cv::Mat matrix = (cv::Mat_<double>(3, 3) << width, 0, (width - 1) / 2.0, 0, width, (height - 1) / 2.0, 0, 0, 1);
        cv::Mat h;
        // What a homography leaves where the lens has this k1, in pixels.
        const auto left = [&](double k) {
            const cv::Mat distortion = (cv::Mat_<double>(1, 5) << k, 0, 0, 0, 0);
            cv::undistortPoints(seen, straight, matrix, distortion, cv::noArray(), matrix,
                                cv::TermCriteria(cv::TermCriteria::COUNT + cv::TermCriteria::EPS, 100, 1e-9));
            h = cv::findHomography(at, straight, 0);
            if (h.empty()) return HUGE_VAL;
            std::vector<cv::Point2f> drawn;
            cv::perspectiveTransform(at, drawn, h);
            return cv::norm(drawn, straight, cv::NORM_L2) / std::sqrt(static_cast<double>(corners));
        };
        double low = -0.6, high = 0.6;
        const double golden = (std::sqrt(5.0) - 1) / 2;
        double a = high - golden * (high - low), b = low + golden * (high - low), fa = left(a), fb = left(b);
        while (high - low > 1e-5) {
            if (fa < fb) {
                high = b, b = a, fb = fa;
                fa = left(a = high - golden * (high - low));
            } else {
                low = a, a = b, fa = fb;
                fb = left(b = low + golden * (high - low));
            }
        }
        *rms = left(*k1 = (low + high) / 2);
        if (h.empty()) return -1;
        for (int i = 0; i < 9; i++) homography[i] = h.at<double>(i / 3, i % 3);
        return 0;
    } catch (...) {
        return -1;
    }
}
