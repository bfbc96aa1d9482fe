"""What a certificate may ask for. A refusal names the limit; docs/certificates.md lists them."""

# The statement: samples, and features or outputs; deeper networks than float64 products of layer
# norms can hold; matrices of 40 MB.
MAX_ROWS = 10_000
MAX_SIDE = 1_000
MAX_DEPTH = 50
MAX_NUMBERS = 5_000_000
# "Interpolates" means ‖f(X) − Y‖ ≤ epsilon with epsilon at most this share of ‖Y‖: rounding.
MAX_EPSILON = 1e-6
# Samples, features, outputs and hidden neurons up to which a network that interpolates up to
# epsilon is corrected to one that interpolates: ranks are found in rationals.
MAX_CORRECTED = 64
# Characters of a reason, which may quote what it refuses.
MAX_REASON = 300

# One certificate, all pieces together (budget.py): half a minute of one core, where 60 s are
# promised; what it holds at once besides the certificate itself, where 2 GB are promised.
MAX_OPERATIONS = 1.2e9
MAX_BYTES = 8e8

# Neurons above the first layer of a path network.
MAX_NEURONS = 10_000

# Pieces in `levels`, blocks in `moments`.
MAX_EVIDENCE = 200
# Rows of μ in a tree or a cover; outputs whose directions are covered.
MAX_LEAVES = 200_000
MAX_COVERED = 4
# Samples, features and outputs of `moments` together: eigenvalue proofs cost their cube, and a
# block has (2n)² multipliers.
MAX_ORDER = 2_000

# Faces: samples or features, candidate rays, faces. Supports of the orthant: 2^12 faces.
MAX_FACES_SIDE = 64
MAX_RAYS = 20_000
MAX_FACES = 50_000
MAX_SUPPORT = 12

# Cones of u. Beyond 8 dimensions there are too many orthants to begin with, and a constant of
# `kinds/cones.py` would have to grow.
MAX_CONES = 1_000_000
MAX_DIMENSIONS = 8

# Search over weights: the Gram matrices of 3 samples have 6 dimensions, those of 4 have 10. An edge
# halved 50 times still has ends that are exact floats. Cones, and boxes of a kernel's spectra.
MAX_SAMPLES = 4
MAX_SEARCHED = 50_000
MAX_BISECTIONS = 50

# Cuts that `levels` adds for squares at most, and the relative gain below which it adds none.
MAX_CUTS = 200
CUT_LOSS = 1e-12

# A line of a file, unpacked; its entries: a few bytes of JSON can take a hundred of memory, and a
# matrix is one entry.
MAX_LINE = 2**28
MAX_ENTRIES = 2_000_000
# Characters of an id that are shown. Bytes a worker may take beyond what it starts with: those of a
# line thrice over and what a proof may hold.
MAX_LABEL = 200
MAX_PROCESS = 2**31
# How far from the span of all outputs, as a share of ‖Y‖, targets may lie by rounding.
MAX_ROUNDING = 2.0**-40
