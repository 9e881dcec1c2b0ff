#!/usr/bin/env bash
# Times the tensor kernels with JMH; arguments go to it, such as: benchmarks/kernels.sh combination -p experts=3
set -euo pipefail
here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
home="$(dirname "$here")"
"$home/tributary" --version >/dev/null
java="$("$home/tributary" java-home)/bin/java"
exec "$java" @"$home/cli/src/main/jvm/tributary.args" -cp "$here/target/benchmarks-0.1.0.jar:$here/target/lib/*" \
  org.openjdk.jmh.Main "$@"
