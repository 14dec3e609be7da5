"""How well a model predicts, reconstructs and finds the springs.

In reading order; a file imports only those above it:

- names, metrics, meanings: how scores are called; errors of predictions; what edge types stand for
- ceilings, edges: what relations could find; how well they agree with true springs
- pictures: whether predicted pictures still show what is there
- evaluate: a checkpoint and a data set to scores
- feet, body_relations: where a body's feet are; what can be said of a body's relations, whose truth nobody knows
- compare, ranking: rollouts of one scene side by side; the hardest and easiest of many seeds
"""
