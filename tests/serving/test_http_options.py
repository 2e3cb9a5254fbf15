"""Which options HTTP may set: field by field, so that a new one must be decided; and how a query is read."""

from pathlib import Path

import pytest

from img2img.conversion.colorize_options import ColorizeOptions
from img2img.conversion.option import option_fields
from img2img.conversion.translate_options import TranslateOptions
from img2img.errors import UsageError
from img2img.serving.http_options import read_options, settable
from img2img.serving.settings import ServeSettings

SETTINGS = ServeSettings(max_pixels=1000)
NO = {
    "keep_times": "a photo comes without its file's times",
    "overwrite": "a result over HTTP replaces nothing",
    "max_pixels": "the server's own limit",
    "device": "the server's machine",
    "runtime": "the server's machine",
    "jobs": "the server's machine",
    "from_file": "a file of the server's",
    "recursive": "there are no folders",
    "report": "a file of the server's",
    "journal": "a file of the server's",
    "on_error": "each photo has its own answer",
    "watch": "would never end",
    "engine": "other machines",
    "address": "other machines",
    "fps": "numbered pictures cannot be sent",
}
ALSO_NO = {
    ColorizeOptions: {"reference": "a part of the upload", "hints": "a part of the upload"},
    TranslateOptions: dict[str, str](),
}
COMMON = {"format", "quality", "model", "provenance", "first_frame"}
COLOURS = {"strength", "if_color", "influence", "palette", "warmth", "hint"}
YES = {ColorizeOptions: COMMON | COLOURS, TranslateOptions: COMMON | {"size", "cycle", "score", "min_score"}}


@pytest.mark.parametrize("options", YES)
def test_every_option_is_decided_for_http(options: type[ColorizeOptions] | type[TranslateOptions]) -> None:
    decided = {each.field: each.option.over_http for each in option_fields(options)}
    assert decided == dict.fromkeys([*NO, *ALSO_NO[options]], False) | dict.fromkeys(YES[options], True)
    assert set(settable(options)) == {name.replace("_", "-") for name in YES[options]}


def test_a_query_becomes_options_in_their_own_types() -> None:
    query = [("strength", "1.3"), ("format", "png"), ("quality", "80"), ("model", "colorizer")]
    options = read_options("colorize", query, SETTINGS)
    assert isinstance(options, ColorizeOptions)
    assert (options.strength, options.format, options.quality) == (1.3, "png", 80)
    assert options.max_pixels == 1000
    query = [("palette", "#7a5c3e,#fff"), ("hint", "1%,2%=#fff"), ("warmth", "-0.5"), ("hint", "3%,4%=#f00")]
    options = read_options("colorize", query, SETTINGS)
    assert isinstance(options, ColorizeOptions)
    assert (options.palette, options.warmth) == (("#7a5c3e", "#fff"), -0.5)
    assert options.hint == ("1%,2%=#fff", "3%,4%=#f00")
    options = read_options("translate", [("model", "horse2zebra"), ("cycle", ""), ("score", "false")], SETTINGS)
    assert isinstance(options, TranslateOptions)
    assert (options.cycle, options.score) == (True, False)


@pytest.mark.parametrize("name", [*NO, *ALSO_NO[ColorizeOptions]])
def test_what_is_the_servers_is_refused_by_name(name: str) -> None:
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')} is the server's to set.*strength"):
        read_options("colorize", [(name.replace("_", "-"), "1")], SETTINGS)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ([("strenght", "1")], "no option 'strenght'; did you mean strength?"),
        ([("output", "/etc/passwd")], "no option 'output'"),
        ([("strength", "1"), ("strength", "2")], "--strength stands twice"),
        ([("strength", "much")], "--strength 'much': give a number"),
        ([("strength", "nan")], "--strength"),
        ([("strength", "-1")], "--strength: -1.0 is not a number from 0"),
        ([("warmth", "1.5")], "--warmth 1.5: give a number from -1 to 1"),
        ([("palette", "#fff,red")], "--palette: 'red' is not a colour"),
        ([("hint", "1%,2%=#fff"), ("hint", "here")], "--hint: "),
        ([("quality", "101")], "--quality 101: give a whole number from 1 to 100"),
        ([("quality", "9" * 5000)], "--quality"),
        ([("format", "gif")], "--format 'gif': give one of same, jpg, png, webp, tiff"),
        ([("model", "../secret.onnx")], "--model '../secret.onnx': give one of colorizer"),
        ([("model", "horse2zebra")], "--model 'horse2zebra': give one of colorizer"),
    ],
)
def test_a_wrong_option_is_told_with_its_choices(query: list[tuple[str, str]], words: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_options("colorize", query, SETTINGS)
    assert words in str(raised.value)


def test_a_model_by_path_is_refused_even_where_it_is_one(tiny_model: Path) -> None:
    with pytest.raises(UsageError, match="give one of colorizer"):
        read_options("colorize", [("model", str(tiny_model))], SETTINGS)


def test_a_wrong_boolean_is_told() -> None:
    with pytest.raises(UsageError, match="--cycle 'maybe': give True or False"):
        read_options("translate", [("model", "horse2zebra"), ("cycle", "maybe")], SETTINGS)
