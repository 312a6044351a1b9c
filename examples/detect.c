/* detect.c - the lanes of one picture, by the library.
 *
 *     cc detect.c $(pkg-config --cflags --libs lanert) -o detect
 *     ./detect PICTURE.jpg [MODEL.onnx]
 */
#include <lanert/lanert.h>

int main(int argc, char **argv)
{
    lanert_model *model = NULL;
    lanert_detector *detector = NULL;
    lanert_source *source = NULL;
    lanert_frame frame;
    lanert_result result;
    lanert_error err;
    char bundled[4096];
    int rc = 0;

    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: detect PICTURE [MODEL.onnx]\n");
        return 2;
    }
    /* A program with pixels of its own fills in a lanert_frame instead of opening a source:
     * {.format = LANERT_NV12, .width = w, .height = h, .data = {y, uv}, .stride = {w, w}} */
    if ((argc == 2 && (rc = lanert_model_bundled(bundled, sizeof bundled, &err))) ||
        (rc = lanert_model_open(argc == 2 ? bundled : argv[2], NULL, &model, &err)) ||
        (rc = lanert_detector_open(model, NULL, &detector, &err)) ||
        (rc = lanert_source_open(argv[1], &source, &err)) || (rc = lanert_source_read(source, &frame, &err)) ||
        (rc = lanert_detect(detector, &frame, 1, &result, &err)))
        fprintf(stderr, "detect: %s\n", err.text);
    for (int i = 0; !rc && i < result.count; i++) {
        const lanert_lane *lane = &result.lanes[i];
        const lanert_point *far = &lane->points[0], *near = &lane->points[lane->count - 1];
        printf("lane %d: score %.2f, from (%.0f, %.0f) to (%.0f, %.0f)\n", i + 1, lane->score, near->x, near->y, far->x,
               far->y);
    }
    lanert_source_close(&source);
    lanert_detector_close(&detector);
    lanert_model_close(&model);
    return rc ? 1 : 0;
}
