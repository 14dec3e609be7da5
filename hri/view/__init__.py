"""What a picture shows and how it looks: a Rollout to figures and to the browser's player. Never torch.

In reading order; a file imports only those above it:

- terms, facts, style, layout: what words mean; what a Rollout shows at a frame; how it looks (with marks.js, for
  browsers); where nodes stand
- browser: the scripts of the player, in the app as on a page that plays offline
- discs: balls of a model of states, exact at any size
- edit_words, beliefs, agreement: edits in words; which way edges lead, when beliefs change; how many are right
- skeleton: a body's bones as strokes over pictures, for whatever draws them
- scene: the interaction graph as marks, for whatever draws it
- graph, history_charts, edge_chart, influence_chart, phase_chart, relations_chart, body_chart, ranking_chart:
  figures of one scene
- player, player_compare, strips: all of it as JSON for the browser
- picture_chart: whether the pictures of several models hold or fade
- training_charts, result_charts: the course of a training; results
- svg, moving, poses: one frame as a drawing; trajectories as a small film, before a model has seen them; a motion as
  a few poses
"""
