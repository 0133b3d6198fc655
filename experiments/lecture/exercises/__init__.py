"""One exercise at the end of each part, for the student to do in its file.

    pytest experiments/lecture/exercises               # which of them are done
    pytest experiments/lecture/exercises -k a10        # this one
    pytest experiments/lecture/exercises --solutions   # the same tests of our own answers
"""
