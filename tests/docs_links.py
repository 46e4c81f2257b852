"""Links between the documents and the code, in both directions.

A link whose text is a name in code quotes and whose target is a source file, such as
[`layernorm_forward`](../src/kernels/layernorm.cc), must name something that the file defines. A
comment in the code that names a section, such as `// docs/model.md#layernorm`, must name one that
exists.
"""

import re
from pathlib import Path

SYMBOL_LINK = re.compile(r"\[`((?:\w+::)*\w+)`\]\(([^)\s#]+\.(?:h|cc))\)")
SECTION = re.compile(r"\bdocs/([\w/.-]+\.md)(?:#([\w-]+))?")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
GUIDE = "docs/model.md"


def without_comments(code):
    """The code with comments and strings blanked out."""
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m.group()), code, flags=re.DOTALL)


def after_parentheses(code, at):
    """The place after the parenthesis that closes the one at `at`."""
    depth = 0
    for i in range(at, len(code)):
        depth += {"(": 1, ")": -1}.get(code[i], 0)
        if depth == 0:
            return i + 1
    return len(code)


def defines(code, symbol):
    """Whether the code, without comments, defines the type, the function or the constant."""
    name = re.escape(symbol).replace("::", r"(?:<\w+>)?::")  # of a class or a template
    if re.search(rf"\b(?:class|struct|enum class|enum)\s+{name}\b[^;{{}}()]*\{{", code):
        return True
    if re.search(
        rf"^[ \w:<>,]*\bconstexpr\b[\w:<>,* ]*\b{name}\b(?:\[\w*\])?\s*(?:=|\{{)",
        code,
        re.MULTILINE,
    ):
        return True
    # A function: its type before the name on the line, and after its parameters its body.
    for found in re.finditer(
        rf"^[ ]*(?!return\b)[\w:<>,&*\[\] ]*?[\w>&*\]][ &*]+{name}\(", code, re.MULTILINE
    ):
        rest = code[after_parentheses(code, found.end() - 1) :]
        if re.match(r"(?:\s|const\b|noexcept\b|override\b)*\{", rest):
            return True
    # A constructor.
    return bool(re.search(rf"^[ ]*(?:\w+::)*{name}::{name.split('::')[-1]}\(", code, re.MULTILINE))


def wrong_symbols(path, number, line):
    """(line number, what is wrong) of links to code whose name is not defined there."""
    for symbol, file in SYMBOL_LINK.findall(line):
        target = path.parent / file
        if target.exists() and not defines(
            without_comments(target.read_text(encoding="utf-8")), symbol
        ):
            yield number, f"{file} does not define {symbol}"


def anchors(path):
    """The anchors of a document's headings, as GitHub makes them."""
    document = FENCED.sub("", path.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", document, re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]


def wrong_sections(root, path):
    """(line number, what is wrong) of comments in code that name a section that is not there."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        for file, anchor in SECTION.findall(line):
            document = root / "docs" / file
            if not document.exists():
                yield number, f"there is no docs/{file}"
            elif anchor and anchor not in anchors(document):
                yield number, f"docs/{file} has no section {anchor}"


# What the step is made of: the kernels' headers that its builders include.
BUILDERS = [
    "src/model/**/*.h",
    "src/model/**/*.cc",
    "src/optim/optimizer.h",
    "src/optim/optimizer.cc",
]
KERNEL_INCLUDE = re.compile(r'#include "(kernels/\w+\.h)"')
FUNCTION = re.compile(r"^(?:void|bool|double|float) (\w+)\(", re.MULTILINE)
CLASS = re.compile(r"^class (\w+) \{", re.MULTILINE)


def kernels_of_the_step(root):
    """The functions and classes of src/kernels/ that the builders of a step call."""
    builders = "\n".join(
        without_comments(path.read_text(encoding="utf-8")) if "include" not in path.name else ""
        for pattern in BUILDERS
        for path in sorted(root.glob(pattern))
    )
    headers = set()
    for pattern in BUILDERS:
        for path in root.glob(pattern):
            headers.update(KERNEL_INCLUDE.findall(path.read_text(encoding="utf-8")))
    names = set()
    for header in headers:
        code = without_comments((root / "src" / header).read_text(encoding="utf-8"))
        names.update(FUNCTION.findall(code) + CLASS.findall(code))
    return {name for name in names if re.search(rf"\b{name}\b[(<{{]", builders)}


def unreachable(root):
    """What is wrong with the links between the guide and the code of a step."""
    document = (root / GUIDE).read_text(encoding="utf-8")
    links = SYMBOL_LINK.findall(document)
    linked = {symbol.split("::")[0] for symbol, _ in links}
    for name in sorted(kernels_of_the_step(root) - linked):
        yield f"{GUIDE} has no link to the kernel {name}"
    # And back: each kernel and builder that the guide links to names a section, or its header does.
    for file in sorted({file for _, file in links if re.search(r"src/(kernels|model)/", file)}):
        path = (root / "docs" / file).resolve()
        pair = [twin for twin in (path.with_suffix(".h"), path.with_suffix(".cc")) if twin.exists()]
        if not any(SECTION.search(twin.read_text(encoding="utf-8")) for twin in pair):
            yield f"{GUIDE} links to {path.relative_to(root)}, and no comment there leads back"


def unnamed_ops(root, kinds):
    """What is wrong with the guide's table of ops; `kinds` are those that a step of weft has."""
    section = (
        (root / GUIDE)
        .read_text(encoding="utf-8")
        .partition("## Every op of a step")[2]
        .partition("\n## ")[0]
    )
    table = "".join(line for line in section.splitlines() if line.startswith("|"))
    named = set(re.findall(r"`([\w/]+)`", table))
    for kind in sorted(kinds - named):
        yield f"{GUIDE} does not name the op {kind}"
    for name in sorted(named - kinds):
        if name.partition("/")[0] not in ("src", "docs") and "/" in name:
            yield f"{GUIDE} names the op {name}, and no step has it"


def undrawn(root):
    """Figures that no document shows."""
    documents = "".join(path.read_text(encoding="utf-8") for path in root.glob("docs/**/*.md"))
    for figure in sorted(root.glob("docs/figures/*.svg")):
        if f"figures/{figure.name})" not in documents:
            yield f"no document shows {figure.relative_to(root)}"


def source_files(root):
    return sorted(
        path for suffix in ("h", "cc") for path in Path(root / "src").glob(f"**/*.{suffix}")
    )
