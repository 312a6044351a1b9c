/* Errors as OpenVINO and ONNX Runtime word them, and what is left for people. */
#include "engine/sdk_text.h"
#include "support/testing.h"

static void check(const char *text, const char *expected)
{
    char line[512];
    sdk_text_clean(text, line, sizeof line);
    assert_string_equal(line, expected);
}

static void test_openvino(void **state)
{
    (void)state;
    check("Exception from src/inference/src/cpp/core.cpp:84:\nCheck 'false' failed at "
          "src/frontends/common/src/frontend.cpp:47:\n"
          "Loading input model\nInput tensor isn't found for node \"stem/Relu_6\"\n\n",
          "Loading input model Input tensor isn't found for node \"stem/Relu_6\"");
    check("while x: Check 'a > b && c' failed at src/core/src/any.cpp:153: Any was not initialized.",
          "while x: Any was not initialized.");
    check("Check failed at src/core/any.hpp:1: words", "Check words");
}

static void test_onnxruntime(void **state)
{
    (void)state;
    check("Non-zero status code returned while running Conv node. Name:'c' Status Message: "
          "/onnxruntime_src/onnxruntime/core/providers/cpu/nn/conv.cc:48 virtual onnxruntime::Status "
          "onnxruntime::Conv<T>::Compute(onnxruntime::OpKernelContext*) const [with T = float] "
          "The kernel is larger than the input.",
          "Non-zero status code returned while running Conv node. Name:'c' Status Message: "
          "The kernel is larger than the input.");
    check("/onnxruntime_src/a/b.h:9 more (of it)", "more (of it)");
}

static void test_the_rest_stays(void **state)
{
    (void)state;
    check("Load model from a/b.onnx failed: a/b.onnx:12 and src/x.cpp",
          "Load model from a/b.onnx failed: a/b.onnx:12 and src/x.cpp");
    check(" \n ", "");
    check("src/a.cpp:1:", "");
}

static void test_cut(void **state)
{
    (void)state;
    char line[8];
    sdk_text_clean("a  b\tc d e f", line, sizeof line);
    assert_string_equal(line, "a b c d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openvino),
        cmocka_unit_test(test_onnxruntime),
        cmocka_unit_test(test_the_rest_stays),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
