#include <stdio.h>

#include "cli/json.h"
#include "cli/val.h"

#define AT_50 0 /* places of thresholds */
#define AT_75 5

double val_f1(const lanert_val_report *r)
{
    return r->category_count ? r->categories[0].at[AT_50].f1 : r->f1;
}

double val_mean_f1(const lanert_val_report *r)
{
    return r->category_count ? r->categories[0].mean_f1 : r->f1;
}

/* ---- gates ---- */

static val_gate check(const char *name, const char *what, double value, double limit, bool least)
{
    val_gate gate = {name, limit, value, least ? value >= limit : value <= limit};
    if (!gate.met)
        say_error("%s is %.6f, %s than --%s %g", what, value, least ? "less" : "more", name, limit);
    return gate;
}

val_gate val_check_least(const char *name, const char *what, double value, double limit)
{
    return check(name, what, value, limit, true);
}

val_gate val_check_most(const char *name, const char *what, double value, double limit)
{
    return check(name, what, value, limit, false);
}

void val_print_gates(const val_gate *gates, int count)
{
    fputs("\"gates\": [", stdout);
    for (int i = 0; i < count; i++) {
        printf("%s{\"name\": \"%s\", \"limit\": ", i ? ", " : "", gates[i].name);
        json_number(gates[i].limit);
        fputs(", \"value\": ", stdout);
        json_number(gates[i].value);
        printf(", \"met\": %s}", gates[i].met ? "true" : "false");
    }
    putchar(']');
}

int val_end(const val_gate *gates, int count)
{
    int status = print_help("");
    for (int i = 0; i < count && !status; i++)
        status = gates[i].met ? EXIT_DONE : EXIT_GATE;
    return status;
}

/* ---- for people ---- */

static void print_category(const lanert_val_category *c)
{
    const lanert_val_counts *n = &c->at[AT_50];
    printf("%-9s %7lld %7lld %7lld %7lld", c->name, (long long)c->frames, (long long)n->tp, (long long)n->fp,
           (long long)n->fn);
    if (n->tp + n->fn) /* cross has no lanes: its false positives are its figure */
        printf(" %9.2f %9.2f %9.2f %9.2f %9.2f\n", 100 * n->precision, 100 * n->recall, 100 * n->f1,
               100 * c->at[AT_75].f1, 100 * c->mean_f1);
    else
        printf(" %9s %9s %9s %9s %9s\n", "-", "-", "-", "-", "-");
}

void val_print_table(const char *dataset, const lanert_val_report *r)
{
    printf("%s: %lld frame%s", dataset, (long long)r->frames, plural(r->frames));
    if (r->missing)
        printf(", %lld of them without a prediction", (long long)r->missing);
    if (r->unfinished)
        printf("; %lld more are not of this shard", (long long)r->unfinished);
    putchar('\n');
    if (!r->category_count) {
        printf("accuracy %.4f %%, F1 %.4f %%, FP %.4f %%, FN %.4f %%\n", 100 * r->accuracy, 100 * r->f1, 100 * r->fp,
               100 * r->fn);
        return;
    }
    printf("%-9s %7s %7s %7s %7s %9s %9s %9s %9s %9s\n", "category", "frames", "TP", "FP", "FN", "precision", "recall",
           "F1@50", "F1@75", "mF1");
    for (int i = 0; i < r->category_count; i++)
        print_category(&r->categories[i]);
}

/* ---- JSON ---- */

static void print_counts(int64_t tp, int64_t fp, int64_t fn)
{
    printf("{\"tp\": %lld, \"fp\": %lld, \"fn\": %lld, ", (long long)tp, (long long)fp, (long long)fn);
}

static void print_rates(double precision, double recall, double f1)
{
    fputs("\"precision\": ", stdout);
    json_number(precision);
    fputs(", \"recall\": ", stdout);
    json_number(recall);
    fputs(", \"f1\": ", stdout);
    json_number(f1);
    putchar('}');
}

/* The mean's counts are sums, as the reference's are. */
static void print_category_json(const char *indent, const lanert_val_category *c)
{
    int64_t tp = 0, fp = 0, fn = 0;
    printf("%s  \"%s\": {\n%s    \"frames\": %lld,\n", indent, c->name, indent, (long long)c->frames);
    for (int t = 0; t < LANERT_VAL_THRESHOLDS; t++) {
        const lanert_val_counts *n = &c->at[t];
        printf("%s    \"%.2f\": ", indent, lanert_val_threshold(t));
        print_counts(n->tp, n->fp, n->fn);
        print_rates(n->precision, n->recall, n->f1);
        fputs(",\n", stdout);
        tp += n->tp;
        fp += n->fp;
        fn += n->fn;
    }
    printf("%s    \"mean\": ", indent);
    print_counts(tp, fp, fn);
    print_rates(c->mean_precision, c->mean_recall, c->mean_f1);
    printf("\n%s  }", indent);
}

static void print_member(const char *indent, const char *name, double value)
{
    printf("%s\"%s\": ", indent, name);
    json_number(value);
    fputs(",\n", stdout);
}

void val_print_members(const char *indent, const char *dataset, const lanert_val_report *r)
{
    printf("%s\"dataset\": \"%s\",\n%s\"frames\": %lld,\n%s\"missing\": %lld,\n%s\"unfinished\": %lld,\n", indent,
           dataset, indent, (long long)r->frames, indent, (long long)r->missing, indent, (long long)r->unfinished);
    if (!r->category_count) {
        print_member(indent, "accuracy", r->accuracy);
        print_member(indent, "f1", r->f1);
        print_member(indent, "fp", r->fp);
        print_member(indent, "fn", r->fn);
        return;
    }
    print_member(indent, "f1", val_f1(r));
    print_member(indent, "mean_f1", val_mean_f1(r));
    printf("%s\"categories\": {", indent);
    for (int i = 0; i < r->category_count; i++) {
        fputs(i ? ",\n" : "\n", stdout);
        print_category_json(indent, &r->categories[i]);
    }
    printf("\n%s},\n", indent);
}
