import TrainingRecipes

/// What the help says about recipes of one's own.
enum RecipeHelp {
  static let paragraphs = [
    """
    A name that ends in .json is a file with a recipe of your own. 'fmtbench recipe NAME --json' \
    prints a preset as such a file, to start from; FORMATS.md describes every key. For example:
    """,
    Recipe.jsonExample.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"),
    """
    The last rule that matches an operand decides. Names of layers and numbers of blocks must be \
    the model's: --list-layers shows them. A rule for kinds of layers that the model lacks changes \
    nothing, which is a warning where the rule is no preset's.
    """,
  ]
}
