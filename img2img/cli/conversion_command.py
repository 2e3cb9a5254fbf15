"""A command made from an options class: each field is an option, and the help shows them in their groups."""

from collections.abc import Callable, Container, Sequence
from inspect import Parameter, Signature
from itertools import groupby
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import typer
from typer.core import TyperCommand, TyperOption

from img2img.cli.shared_options import completion, listed
from img2img.conversion.option import Group, OptionField, option_fields
from img2img.conversion.options import ConversionOptions

Inputs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INPUT...",
        show_default=False,
        help="Photos, folders of photos, .zip and .tar archives, patterns like 'scans/**/*.tif', films, s3:// and "
        "other addresses, or - for standard input.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done and how long it would take, and write nothing.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
OTHERS = "Options"
Options = TypeVar("Options", bound=ConversionOptions)


class ConversionCommand(TyperCommand):
    """Its help has a section for each group of options: rich's panels do that too, at twice the time."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        sections = ["Arguments", *get_args(Group), OTHERS]
        placed = sorted(
            ((_section(parameter), parameter) for parameter in self.get_params(ctx)),
            key=lambda pair: sections.index(pair[0]),
        )
        for section, parameters in groupby(placed, key=lambda pair: pair[0]):
            records = [parameter.get_help_record(ctx) for _, parameter in parameters]
            with formatter.section(section):
                formatter.write_dl([record for record in records if record])


def takes_options(
    options: type[Options], *, beside: str
) -> Callable[[Callable[[list[str], str | None, Options, bool], None]], Callable[..., None]]:
    """Makes a command of a function of inputs, output, options and `quiet`. `beside`: one result's name."""

    def made(function: Callable[[list[str], str | None, Options, bool], None]) -> Callable[..., None]:
        def command(inputs: list[str] | None, output: str | None, dry_run: bool, quiet: bool, **chosen: Any) -> None:
            if dry_run:
                from img2img.cli.dry_run import tell_what_would_be_done

                tell_what_would_be_done(inputs or [], output, options(**chosen), quiet=quiet)
            else:
                function(inputs or [], output, options(**chosen), quiet)

        command.__name__, command.__doc__ = function.__name__, function.__doc__
        command.__signature__ = _signature(options, beside)  # type: ignore[attr-defined]
        return command

    return made


def _signature(options: type[ConversionOptions], beside: str) -> Signature:
    output = Annotated[str | None, _output_option(beside)]
    return Signature(
        [
            _parameter("inputs", Inputs, None),
            _parameter("output", output, None),
            *field_parameters(options),
            _parameter("dry_run", DryRun, False),
            _parameter("quiet", Quiet, False),
        ]
    )


def field_parameters(options: type[ConversionOptions], names: Container[str] | None = None) -> list[Parameter]:
    """A command's parameters for an options class's fields, or those of these names."""
    return [
        _parameter(each.field, _annotated(each, options), each.default)
        for each in option_fields(options)
        if names is None or each.field in names
    ]


def _parameter(name: str, annotation: Any, default: Any) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _annotated(field: OptionField, options: type[ConversionOptions]) -> Any:
    said = field.option
    name = f"{field.name}/--no-{field.name[2:]}" if field.default is True else field.name
    # any text, which may be an alias: the options themselves check what was chosen
    choices = list(get_args(field.kind)) if get_origin(field.kind) is Literal else []
    return Annotated[
        list[str] if field.several else (str if field.default else str | None) if choices else field.hint,
        typer.Option(
            name,
            help=said.help,
            metavar=listed(choices) if choices else said.metavar,
            min=said.least,
            max=said.most,
            show_default=said.show_default,
            rich_help_panel=said.group,
            autocompletion=_completion(field, options, choices),
        ),
    ]


def _completion(
    field: OptionField, options: type[ConversionOptions], choices: Sequence[str]
) -> Callable[[str], list[str]] | None:
    """For the shell."""
    if choices:
        return completion(choices)
    return _models_for(options.model_task) if field.field == "model" else None


def _output_option(beside: str) -> typer.models.OptionInfo:
    """-o, with the name that a single photo's result has without it."""
    option: typer.models.OptionInfo = typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="A file, a folder (an existing one, or with / at the end), a .zip, or - for standard output. Required for "
        f"a folder or several photos; a single photo's result is otherwise saved beside it, as {beside}.",
        rich_help_panel="Results",
    )
    return option


def _models_for(task: str) -> Callable[[str], list[str]]:
    """For the shell: the names of the models at hand that do this and begin with what was typed."""

    def names(incomplete: str) -> list[str]:
        from img2img.errors import ModelError
        from img2img.model_file import available_models, read_card

        found = []
        for path in available_models():
            try:
                if path.stem.startswith(incomplete) and read_card(path).task == task:
                    found.append(path.stem)
            except ModelError:  # `img2img models` says what is wrong with it
                continue
        return found

    return names


def _section(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return "Arguments"
    return (parameter.rich_help_panel if isinstance(parameter, TyperOption) else None) or OTHERS
