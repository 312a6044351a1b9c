#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/outputs.h"
#include "cli/val.h"

static const char help[] =
    "usage: lanert val --dataset NAME --root DIR (--predictions DIR|FILE | --model MODEL.onnx) [OPTION]...\n"
    "       lanert val --dataset NAME --root DIR --merge JOURNAL...\n"
    "       lanert val [--dataset NAME --root DIR] --compare A B [OPTION]...\n"
    "\n"
    "Measures lanes against a data set's annotations, count for count as the benchmarks' own programs do; or says how\n"
    "far the lanes of two models, precisions or engines lie apart.\n"
    "\n"
    "      --dataset NAME         culane, tusimple or llamas\n"
    "      --root DIR             its annotations (and pictures, where a model is run)\n"
    "      --list FILE            the frames: CULane's list of pictures (beside it test_split/, the categories), "
    "TuSimple's\n"
    "                             labels, LLAMAS' list of labels; by default all of the test or validation set\n"
    "      --predictions PATH     lane files to score: a folder of .lines.txt, or TuSimple's JSON lines\n"
    "      --allow-missing        count frames without a prediction, or whose picture cannot be read, as without "
    "lanes\n"
    "\n" DETECTOR_HELP "      --save PATH            keep the model's lanes: a folder, or for TuSimple a file\n"
    "\n"
    "      --compare A B          each a folder or file of predictions, or a model; what differs between two models "
    "may\n"
    "                             follow the name: r18.onnx,engine=openvino,precision=bf16\n"
    "      --min-f1 X             a gate: F1 at IoU 0.5 (of B, where two are compared), 0 to 1, is X or more\n"
    "      --max-drop X           a gate: B's F1 is at most X below A's\n"
    "\n"
    "      --journal FILE         add finished frames to FILE, and take those that are in it: a run that was ended, "
    "in\n"
    "                             whatever way, goes on where it was\n"
    "      --shard I/N            only every N-th frame, from the I-th on\n"
    "      --merge JOURNAL...     score nothing: put together what the shards' journals hold\n"
    "\n"
    "      --per-image FILE.csv   write a table, a line a frame\n"
    "      --worst N DIR          draw the N worst frames into DIR, annotations (or A's lanes) dashed\n"
    "      --force                overwrite files that are there\n"
    "      --json                 the report as JSON\n"
    "  -q, --quiet                no progress and no remarks\n"
    "  -h, --help                 this text\n"
    "\n"
    "exit status: 0 done, 1 not finished or not written, 2 wrong usage, 3 the model or engine is not usable, 4 an "
    "input\n"
    "is missing or wrong, 5 a gate is not met\n";

enum {
    DATASET = 256,
    ROOT,
    LIST,
    PREDICTIONS,
    ALLOW_MISSING,
    SAVE,
    COMPARE,
    MIN_F1,
    MAX_DROP,
    JOURNAL,
    SHARD,
    MERGE,
    PER_IMAGE,
    WORST,
    FORCE,
    JSON
};

static const struct option longs[] = {
    {"dataset", required_argument, NULL, DATASET},
    {"root", required_argument, NULL, ROOT},
    {"list", required_argument, NULL, LIST},
    {"predictions", required_argument, NULL, PREDICTIONS},
    {"allow-missing", no_argument, NULL, ALLOW_MISSING},
    {"save", required_argument, NULL, SAVE},
    {"compare", required_argument, NULL, COMPARE},
    {"min-f1", required_argument, NULL, MIN_F1},
    {"max-drop", required_argument, NULL, MAX_DROP},
    {"journal", required_argument, NULL, JOURNAL},
    {"shard", required_argument, NULL, SHARD},
    {"merge", no_argument, NULL, MERGE},
    {"per-image", required_argument, NULL, PER_IMAGE},
    {"worst", required_argument, NULL, WORST},
    {"force", no_argument, NULL, FORCE},
    {"json", no_argument, NULL, JSON},
    DETECTOR_LONGS,
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

/* The second value of an option that has two; option_next goes on behind it. */
static bool take_second(char **argv, const char *option, const char **value)
{
    if (argv[optind]) {
        *value = argv[optind++];
        return true;
    }
    say_usage("%s takes two values, and the second is missing", option);
    return false;
}

static bool parse_dataset(const char *text, val_job *job)
{
    static const char *const names[] = {"culane", "tusimple", "llamas", NULL};
    int place;
    job->data.dataset = text;
    return option_name("--dataset", text, names, &place);
}

static bool parse_shard(const char *text, val_job *job)
{
    int end = 0;
    lanert_val_options *o = &job->data;
    bool good = strspn(text, "0123456789/") == strlen(text) && strlen(text) < 16 &&
                sscanf(text, "%d/%d%n", &o->shard, &o->shards, &end) == 2 && !text[end];
    if (good && o->shard >= 1 && o->shard <= o->shards)
        return true;
    say_usage("--shard is '%s'; expected I/N, such as 1/8 for the first of eight", text);
    return false;
}

static bool parse_option(val_job *job, int c, char **argv)
{
    switch (c) {
    case DATASET:
        return parse_dataset(optarg, job);
    case ROOT:
        job->data.root = optarg;
        return true;
    case LIST:
        job->data.list = optarg;
        return true;
    case PREDICTIONS:
        job->data.predictions = optarg;
        return true;
    case ALLOW_MISSING:
        return job->data.allow_missing = true;
    case SAVE:
        job->save = optarg;
        return true;
    case COMPARE:
        job->sides[0] = optarg;
        return take_second(argv, "--compare", &job->sides[1]);
    case MIN_F1:
        return option_double("--min-f1", optarg, 0, 1, &job->min_f1);
    case MAX_DROP:
        return option_double("--max-drop", optarg, 0, 1, &job->max_drop);
    case JOURNAL:
        job->data.journal = optarg;
        return true;
    case SHARD:
        return parse_shard(optarg, job);
    case MERGE:
        return job->merge = true;
    case PER_IMAGE:
        job->per_image = optarg;
        return true;
    case WORST:
        return option_int("--worst", optarg, 1, 100000, &job->worst) &&
               take_second(argv, "--worst", &job->worst_folder);
    case FORCE:
        return job->force = true;
    case JSON:
        return job->json = true;
    case 'q':
        return job->quiet = true;
    default:
        if (detector_options_own(c))
            return detector_options_parse(&job->detector, c, optarg);
        return false;
    }
}

/* What is wrong with the options together, NULL where nothing is. */
static const char *check_compare(const val_job *job)
{
    if (job->data.predictions || job->detector.model)
        return "--compare names what is compared; --predictions and --model do not go with it";
    if (job->data.journal || job->data.shards > 1 || job->merge)
        return "--journal, --shard and --merge do not go with --compare; score each side with --save, then compare "
               "what was saved";
    if (!job->data.dataset && (job->min_f1 >= 0 || job->max_drop >= 0 || job->worst_folder))
        return "without --dataset and --root there are no scores, and no pictures to draw on";
    return NULL;
}

static const char *check_score(const val_job *job)
{
    bool model = job->detector.model, predictions = job->data.predictions;
    if (!job->data.dataset)
        return "--dataset is missing: culane, tusimple or llamas";
    if (model && predictions)
        return "--model and --predictions: which lanes are to be scored?";
    if (!model && !predictions && !job->merge)
        return "nothing to score: --predictions or --model is missing";
    if (job->merge && (job->data.journal || job->data.shards > 1 || job->save))
        return "--merge scores nothing: --journal, --shard and --save do not go with it";
    if (job->merge && !job->journal_count)
        return "--merge: no journal was named";
    if (job->worst_folder && !model && !predictions)
        return "--worst draws lanes: --predictions or --model is missing";
    if (job->save && !model)
        return "--save keeps a model's lanes: --model is missing";
    if (job->save && job->data.journal && !strcmp(job->data.dataset, "tusimple"))
        return "--save writes TuSimple's lines in one go, so that --journal does not go with it";
    if (job->max_drop >= 0)
        return "--max-drop needs --compare";
    return job->min_f1 >= 0 && job->data.shards > 1 ? "--min-f1 judges the whole, not a shard: give it with --merge"
                                                    : NULL;
}

static const char *check(const val_job *job)
{
    if (job->data.dataset && !job->data.root)
        return "--root is missing: the folder of the annotations";
    if (job->journal_count && !job->merge)
        return "an argument that belongs to no option; only --merge takes more of them";
    return job->sides[0] ? check_compare(job) : check_score(job);
}

int cmd_val(int argc, char **argv)
{
    val_job job = {.min_f1 = -1, .max_drop = -1};
    int c;
    lanert_val_defaults(&job.data);
    detector_options_init(&job.detector);
    while ((c = option_next(argc, argv, ":m:qh", longs)) != -1) {
        if (c == 'h')
            return print_help(help);
        if (!parse_option(&job, c, argv))
            return EXIT_USAGE;
    }
    job.journals = argv + optind;
    job.journal_count = argc - optind;
    job.data.threads = job.detector.options.threads;
    if (job.quiet)
        job.detector.options.on_note = NULL;
    const char *wrong = check(&job);
    if (wrong)
        return say_usage("%s", wrong);
    int status = job.per_image ? output_file_check(job.per_image, job.force) : EXIT_DONE;
    if (status)
        return status;
    interrupt_catch();
    return job.sides[0] ? val_compare(&job) : val_run(&job);
}
