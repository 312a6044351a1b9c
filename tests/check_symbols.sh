#!/usr/bin/env bash
# The library shows what lanert.h declares, and nothing else.
set -euo pipefail
shown=$(nm -D --defined-only "$1" | awk '{print $3}' | sort)
declared=$(sed -n 's/^LANERT_API.*[ *]\(lanert_[a-z0-9_]*\)(.*/\1/p' "$(dirname "$0")/../include/lanert/lanert.h" | sort)
diff <(echo "$declared") <(echo "$shown") || { echo "< only in lanert.h, > only in the library"; exit 1; }
echo "$(wc -l <<<"$shown") symbols"
