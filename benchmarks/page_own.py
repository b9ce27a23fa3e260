"""The page's section on rechunk alone, in every case. Pure."""

from __future__ import annotations

from page_cells import OVER, mb, spread, table
from summary import CaseFigures, Figures, is_own
from workloads import BY_NAME

_OWN_HEAD = (
    "| workload | plan | memory MB | threads | seconds | floor | peak MB "
    "| CPU s | read | predicted s | calibrated s | day |"
)


def _own_row(case: CaseFigures) -> list[str] | None:
    figures = case.tools.get("rechunk")
    if figures is None:
        return None
    head = [case.workload, figures.failure or _plan(figures)]
    head += [mb(case.memory_bytes), str(case.threads)]
    if figures.seconds is None:
        return head
    return [
        *head,
        spread(figures.seconds),
        spread(figures.ratio),
        mb(figures.peak_bytes) + (OVER if figures.over_limit else ""),
        f"{figures.cpu_seconds:.1f}",
        f"{figures.amplification:.2f}" if figures.amplification else "-",
        *(
            f"{seconds:.2f}" if seconds else "-"
            for seconds in (
                figures.predicted_seconds,
                figures.calibrated_seconds,
            )
        ),
        figures.day,
    ]


def _plan(figures: Figures) -> str:
    method = " ".join(sorted(set(figures.methods)))
    return (
        f"{method}, {figures.stages} stages" if figures.stages > 1 else method
    )


def own_section(content: dict, cases: list[CaseFigures]) -> list[str]:
    """rechunk in every case: less memory, more threads, other sizes."""
    rows = [row for row in map(_own_row, cases) if row]
    lines = ["## rechunk in every case", ""]
    return lines + table(_OWN_HEAD, rows) + prediction_lines(content, cases)


def prediction_lines(content: dict, cases: list[CaseFigures]) -> list[str]:
    """How far the predicted times are from the measured ones."""
    own = [
        (case, figures)
        for case in cases
        if (figures := case.tools.get("rechunk")) and figures.seconds
    ]
    usual = [
        each
        for each in own
        if is_own(content, each[0]) and each[0].workload in BY_NAME
    ]
    sentences = []
    for how, member in (
        ("without calibration", "predicted_seconds"),
        ("with `--calibrate on`", "calibrated_seconds"),
    ):
        all_ratios, ratios = (
            [
                predicted / figures.seconds.median
                for _, figures in some
                if (predicted := getattr(figures, member))
            ]
            for some in (own, usual)
        )
        if ratios:
            sentences.append(
                f"The time predicted {how} is within 30 % of the measured "
                f"time in {_near(ratios)} of {len(ratios)} workloads at their "
                f"memory with two threads, and in {_near(all_ratios)} of all "
                f"{len(all_ratios)} cases. These include runs with more "
                "threads than cores. Predicted over measured time is between "
                f"{min(all_ratios):.2f} and {max(all_ratios):.2f}."
            )
    return [" ".join(sentences), ""]


def _near(ratios: list[float]) -> int:
    return sum(1 / 1.3 <= ratio <= 1.3 for ratio in ratios)
