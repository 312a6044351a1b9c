# bash completion for lanert

_lanert()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=
    COMPREPLY=()
    if [ "$COMP_CWORD" = 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "detect convert quantize build val bench inspect doctor --help --version" -- "$cur")
        return
    fi
    case $prev in
    --preset) words="culane tusimple llamas road" ;;
    --dataset) words="culane tusimple llamas" ;;
    --engine) words="auto onnxruntime openvino tensorrt" ;;
    --device) words="cpu cuda tensorrt auto" ;;
    --precision) words="auto fp32 fp16 bf16" ;;
    --deadline) words="auto off" ;;
    --contend) words="cpu memory both" ;;
    --resize) words="linear cubic" ;;
    --format) words="video pictures culane tusimple llamas jsonl" ;;
    --method) words="minmax percentile entropy mse" ;;
    --values) words="uint8 int8" ;;
    --outputs) words="lanes raw both" ;;
    esac
    if [ -n "$words" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        return
    fi
    if [[ $cur == -* ]]; then
        case ${COMP_WORDS[1]} in
        detect) words="--output --format --force --model --preset --engine --device --precision --threads --batch --conf
            --nms-thres --max-lanes --cut --resize --rate --deadline --max-missed --cpus --priority --duration --json --verbose
            --quiet --help" ;;
        convert) words="--output --preset --precision --outputs --keep-priors --shrink --force --quiet --help" ;;
        build) words="--output --precision --device --workspace --timing-cache --min-batch --opt-batch --max-batch
            --version-compatible --force --quiet --help" ;;
        quantize) words="--output --calib --samples --method --per-channel --per-tensor --values --keep-float --sensitivity --val
            --max-drop --engine --threads --force --quiet --help" ;;
        bench) words="--model --preset --engine --device --precision --threads --batch --source --duration --frames --rounds
            --warmup --rate --deadline --contend --cpus --priority --json --csv --plot --force --compare --max-slowdown --verbose --quiet
            --help" ;;
        val) words="--dataset --root --list --predictions --allow-missing --model --preset --engine --device --precision --threads
            --batch --conf --nms-thres --max-lanes --cut --resize --save --compare --min-f1 --max-drop --journal --shard
            --merge --per-image --worst --force --json --quiet --help" ;;
        inspect) words="--help" ;;
        doctor) words="--model --json --help" ;;
        esac
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        return
    fi
    compopt -o default
}
complete -F _lanert lanert
