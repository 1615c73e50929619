"""The colours of every document. A chart is drawn with the light ones; HTML swaps them in the dark.

Chosen for contrast: text 4.5 : 1 or more on its ground, marks 3 : 1; the three series can be told
apart with any colour vision (blue, orange, teal), and charts say by shape or word what colour says.
"""

LIGHT = {
    "ground": "#ffffff",
    "panel": "#f4f6f8",
    "ink": "#14212b",
    "quiet": "#54636f",
    "line": "#d3dae0",
    "blue": "#1f6fb4",
    "orange": "#bf5b04",
    "teal": "#0b7a6b",
    "pass": "#14733f",
    "fail": "#b3261e",
    "unknown": "#7a5b00",
}
DARK = {
    "ground": "#10171d",
    "panel": "#18222a",
    "ink": "#e6edf2",
    "quiet": "#9fb0bd",
    "line": "#2f3c46",
    "blue": "#6cb4f0",
    "orange": "#f2a057",
    "teal": "#52c7b4",
    "pass": "#6fd39b",
    "fail": "#ff8f86",
    "unknown": "#e3c15c",
}
SERIES = ("blue", "orange", "teal", "quiet")
