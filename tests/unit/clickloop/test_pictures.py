import pytest

from clickloop.pictures import CurvePoint, Measurement, PictureLine, draw_bars, draw_curve, draw_lines
from tests.pictures import read_picture

SVG = "{http://www.w3.org/2000/svg}"


def test_bars_are_as_long_as_their_figures_say() -> None:
    picture = read_picture(
        draw_bars("Quality", [Measurement("before", 0.25, before=True), Measurement("after", 0.5, 0.4, 0.5)])
    )

    bars = picture.findall(f"{SVG}rect")
    short, long = (float(bar.attrib["width"]) for bar in bars)
    assert long == pytest.approx(2 * short, abs=0.2)
    assert [bar.attrib["class"] for bar in bars] == ["bar before", "bar"]
    (interval,) = picture.findall(f"{SVG}line")
    assert float(interval.attrib["x2"]) == pytest.approx(float(bars[1].attrib["x"]) + long, abs=0.2)


def test_every_figure_is_told_in_words_too() -> None:
    picture = read_picture(draw_bars("Quality", [Measurement("a < b", 0.25)]))

    assert picture.attrib["aria-label"] == "Quality. a < b 0.250"
    assert {"Quality", "a < b", "0.250"} <= {text.text for text in picture.iter(f"{SVG}text")}


def test_a_scale_may_end_beyond_the_figures() -> None:
    (bar,) = read_picture(draw_bars("Stars", [Measurement("csat", 2.5)], end=5.0)).findall(f"{SVG}rect")
    (whole,) = read_picture(draw_bars("Stars", [Measurement("csat", 5.0)], end=5.0)).findall(f"{SVG}rect")

    assert float(bar.attrib["width"]) == pytest.approx(float(whole.attrib["width"]) / 2, abs=0.2)


@pytest.mark.parametrize("figures", [[], [Measurement("nothing", 0.0)]])
def test_nothing_is_drawn_as_nothing(figures: list[Measurement]) -> None:
    assert all(float(bar.attrib["width"]) == 0 for bar in read_picture(draw_bars("", figures)).findall(f"{SVG}rect"))


def test_a_curve_goes_to_the_right_with_cost_and_up_with_quality() -> None:
    places = [CurvePoint("small", 1.0, 0.5), CurvePoint("large", 4.0, 0.7)]

    small, large = read_picture(draw_curve("Cost", places, across="ms", up="nDCG@10")).findall(f"{SVG}circle")

    assert float(small.attrib["cx"]) < float(large.attrib["cx"])
    assert float(small.attrib["cy"]) > float(large.attrib["cy"])


def test_a_single_point_is_a_curve() -> None:
    assert (
        read_picture(draw_curve("Cost", [CurvePoint("one", 0.0, 0.0)], across="ms", up="nDCG@10")).find(f"{SVG}circle")
        is not None
    )


def test_lines_share_a_scale_and_marks_stand_at_their_places() -> None:
    lines = [PictureLine("before", [0.5, 0.5, 0.5], before=True), PictureLine("after", [0.5, 0.6, 0.7])]
    picture = read_picture(draw_lines("Weeks", lines, across="week", up="nDCG@10", marks={2: "poisoned"}))

    flat, rising = (
        [tuple(map(float, corner.split(","))) for corner in line.attrib["points"].split()]
        for line in picture.findall(f"{SVG}polyline")
    )
    assert flat[0] == rising[0]
    assert [x for x, _ in flat] == [x for x, _ in rising]
    assert rising[0][1] > rising[1][1] > rising[2][1]
    (mark,) = (text for text in picture.iter(f"{SVG}text") if text.text == "poisoned")
    assert float(mark.attrib["x"]) == rising[1][0]
