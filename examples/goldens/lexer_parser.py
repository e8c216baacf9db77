"""A lexer that is sent lines and yields tokens, and a parser that is sent tokens and yields statements."""

TEXT = """\
1 + 2 * 3;
(4 - 1) * (2 +
  5) - 7;
2 * (3 + ;
8 $ 2;
-(1 - 3); 2 * (1 + (6 ? 7));
7 + (2 * 3
"""


class Wrong(Exception):
    def __init__(self, at, what, ends=False):
        super().__init__(f"{at[0]}:{at[1]}: {what}")
        # Whether what was found there ends the statement.
        self.ends = ends

    def within(self, at):
        self.args = (f"{self.args[0]}, in the parentheses of {at[0]}:{at[1]}",)


def lexer():
    number = 0
    while (line := (yield "line")) is not None:
        number += 1
        column = 0
        while column < len(line):
            at, letter = (number, column + 1), line[column]
            column += 1
            if letter.isdigit():
                while column < len(line) and line[column].isdigit():
                    letter += line[column]
                    column += 1
                yield int(letter), at
            elif letter in "+-*();":
                yield letter, at
            elif letter != " ":
                yield Wrong(at, f"no token begins with {letter}")
    while True:
        yield "end", (number + 1, 1)


def unexpected(token):
    kind, at = token
    shown = "the end" if kind == "end" else kind
    return Wrong(at, f"unexpected {shown}", kind in (";", "end"))


def parser():
    count, done = 0, None
    while True:
        try:
            first = yield done
            if first[0] == "end":
                return count
            done = yield from statement(first)
            count += 1
        except Wrong as wrong:
            done, ends = wrong, wrong.ends
            while not ends:
                try:
                    ends = (yield None)[0] in (";", "end")
                except Wrong:
                    pass


def statement(first):
    tree, after = yield from total(first)
    if after[0] != ";":
        raise unexpected(after)
    return tree


def total(first):
    tree, after = yield from product(first)
    while after[0] in ("+", "-"):
        operand, operator = (yield None), after[0]
        right, after = yield from product(operand)
        tree = (operator, tree, right)
    return tree, after


def product(first):
    tree = yield from factor(first)
    while (after := (yield None))[0] == "*":
        operand = yield None
        tree = ("*", tree, (yield from factor(operand)))
    return tree, after


def factor(first):
    kind, at = first
    if isinstance(kind, int):
        return kind
    if kind == "-":
        operand = yield None
        return ("-", (yield from factor(operand)))
    if kind != "(":
        raise unexpected(first)
    try:
        tree, after = yield from total((yield None))
        if after[0] != ")":
            raise unexpected(after)
        return tree
    except Wrong as wrong:
        wrong.within(at)
        raise


def shown(tree):
    if isinstance(tree, int):
        return str(tree)
    return f"({tree[0]} {' '.join(map(shown, tree[1:]))})"


def value(tree):
    if isinstance(tree, int):
        return tree
    operands = [value(part) for part in tree[1:]]
    if len(operands) == 1:
        return -operands[0]
    left, right = operands
    return left + right if tree[0] == "+" else left - right if tree[0] == "-" else left * right


def main():
    lines = iter(TEXT.splitlines())
    tokens, statements = lexer(), parser()
    next(statements)
    lexed = next(tokens)
    while True:
        if lexed == "line":
            lexed = tokens.send(next(lines, None))
            continue
        try:
            parsed = statements.throw(lexed) if isinstance(lexed, Wrong) else statements.send(lexed)
        except StopIteration as stop:
            print(f"{stop.value} statements")
            return
        if isinstance(parsed, Wrong):
            print(parsed)
        elif parsed is not None:
            print(f"{shown(parsed)} = {value(parsed)}")
        lexed = next(tokens)


main()
